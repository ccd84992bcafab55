"""The scratch project of the engine's tests is served here as well."""

from tests.engine.conftest import empty, scratch

__all__ = ["empty", "scratch"]
