"""A record's key is of all that its program's result depends on."""

import shutil
from pathlib import Path

import pytest

import engine.run
from engine.keep.key import _engine as engine_key
from engine.keep.key import record_key
from tests.engine.read.site import site_of
from tests.engine.scratch import Scratch

PAGE = """\
# Working

```python run="snippets/count.py:setup"
```

```python run="snippets/count.py:count" file="worker.py"
```

```json source="bench/numbers.json" file="numbers.json" fold="The numbers"
```

Of {{ math.pi }}:

```console
python worker.py one
```
"""


@pytest.fixture
def working(scratch: Scratch) -> Scratch:
    """A project whose page has blocks of all kinds, and a value."""
    scratch.write("bench/numbers.json", "[1, 2, 3]\n")
    scratch.write("docs/index.md", PAGE)
    return scratch


def key(working: Scratch) -> str:
    text = (working.root / "docs/index.md").read_text()
    return record_key(site_of(working.root).read(text).program)


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("docs/index.md", "worker.py one", "worker.py two"),
        ("docs/index.md", "```console", '```console exits="1"'),
        ("docs/index.md", 'file="numbers.json"', 'file="other.json"'),
        ("docs/index.md", "math.pi", "math.e"),
        ("docs/index.md", ':setup"', ':setup" raises="KeyError"'),
        ("bench/numbers.json", "3", "4"),
        ("snippets/count.py", "print(", "print(0, "),
        ("snippets/count.py", "import math", "import math, sys"),
    ],
)
def test_it_depends_on_what_is_run_and_saved(
    working: Scratch, path: str, old: str, new: str
) -> None:
    before = key(working)
    assert key(working) == before
    working.replace(path, old, new)
    assert key(working) != before


def test_it_depends_on_what_carries_programs_out(
    working: Scratch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = tmp_path / "run"
    shutil.copytree(Path(engine.run.__file__).parent, copied)
    monkeypatch.setattr(engine.run, "__file__", str(copied / "__init__.py"))
    keys = []
    for text in ("", "", "# Words.\n"):
        (copied / "worker.py").write_text(text)
        engine_key.cache_clear()
        keys.append(key(working))
    engine_key.cache_clear()
    assert keys[0] == keys[1] != keys[2]


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("docs/index.md", '"The numbers"', '"Numbers"'),
        ("docs/index.md", "# Working\n", "# Working\n\nWords.\n"),
        ("docs/index.md", ':setup"', ':setup" limit="9" hl_lines="1"'),
        ("snippets/count.py", '"""A module."""', '"""Words."""\n\n'),
    ],
)
def test_it_does_not_depend_on_what_only_readers_see(
    working: Scratch, path: str, old: str, new: str
) -> None:
    before = key(working)
    working.replace(path, old, new)
    assert key(working) == before
