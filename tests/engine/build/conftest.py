"""What is built again and again while it is served."""

from collections.abc import Iterator

import pytest

from engine.build.preview import Preview
from tests.engine.scratch import Scratch


@pytest.fixture
def preview(scratch: Scratch) -> Iterator[Preview]:
    """The previews of a project, in this process."""
    scratch.add_hooks()
    preview = Preview(scratch.root, 1)
    preview.url = "http://127.0.0.1:8000/"
    yield preview
    preview.close()
