"""The scratch project of the engine's tests, for other generators too."""

from tests.engine.conftest import empty, scratch

__all__ = ["empty", "scratch"]
