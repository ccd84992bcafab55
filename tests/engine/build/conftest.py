"""What tests need that have MkDocs show notebooks in their own process."""

import sys

import pytest


@pytest.fixture(autouse=True)
def keep_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep pytest's stream open.

    mkdocs-jupyter makes logging close its handlers, and TensorFlow's, if it
    was imported, closes with it the stream that it found at that time.
    """
    if logging := sys.modules.get("absl.logging"):
        handler = logging.get_absl_handler().python_handler
        monkeypatch.setattr(handler, "stream", sys.__stderr__)
