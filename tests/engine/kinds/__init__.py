"""Kinds of input, each tried on a site that is built and read again."""

import pytest

pytest.register_assert_rewrite("tests.engine.kinds.site")
