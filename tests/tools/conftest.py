"""The scratch projects of the engine's tests serve here as well."""

from tests.engine.conftest import built, empty, keep_built, scratch

__all__ = ["built", "empty", "keep_built", "scratch"]
