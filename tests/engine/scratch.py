"""A small project on the disk, for the tests of the engine to break."""

import hashlib
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine.__main__ import main
from engine.keep.files import write_atomically

REPOSITORY = Path(__file__).parents[2]


def printed_by(program: str) -> str:
    """Return what a program prints that can import the engine."""
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


MKDOCS = """\
site_name: Scratch
use_directory_urls: true
theme:
  name: material
  font: false
plugins: []
markdown_extensions:
  - admonition
  - attr_list
  - pymdownx.highlight:
      pygments_lang_class: true
  - engine.extension
"""

HOOKS = """\
hooks: [{hooks}]
plugins:
  - search
  - mkdocs-jupyter:
      include: ["notebooks/*.ipynb"]
      cache: false
"""

SNIPPET = '''\
"""A module."""

# region setup
import math

# endregion setup

if __name__ == "__main__":
    # region count
    total = math.floor(2.5)
    for number in range(total):
        print("number", number)
    # endregion count
'''

PAGE = """\
# Counting

```python run="snippets/count.py:setup"
```

We count.

```python run="snippets/count.py:count"
```

There were {{ total }} numbers.
"""


@dataclass
class Scratch:
    """A project folder, and what its last build said."""

    root: Path
    capsys: pytest.CaptureFixture[str]

    def write(self, path: str, text: str) -> Path:
        """Write the file whole, for a server builds whatever it finds."""
        file = self.root / path
        write_atomically(file, textwrap.dedent(text))
        return file

    def replace(self, path: str, old: str, new: str) -> None:
        file = self.root / path
        text = file.read_text(encoding="utf-8")
        assert old in text
        write_atomically(file, text.replace(old, new))

    def add_hooks(self) -> None:
        """Have MkDocs build with the hooks, and the page beside a home."""
        hooks = HOOKS.format(hooks=REPOSITORY / "engine/build/hooks.py")
        self.replace("mkdocs.yml", "plugins: []\n", hooks)
        page = (self.root / "docs/index.md").read_text()
        self.write("docs/count.md", page)
        self.write("docs/index.md", "# Home\n\nWords.\n")

    def engine(self, *arguments: str) -> tuple[int, str]:
        """Run the engine's command line; return its code and its words."""
        self.capsys.readouterr()
        code = main(["--root", str(self.root), *arguments])
        captured = self.capsys.readouterr()
        return code, captured.out + captured.err

    def build(self) -> tuple[int, str]:
        return self.engine("build")

    def digest(self, *folders: str) -> str:
        """Return a hash of the folders, or of the site and all records."""
        digest = hashlib.sha256()
        for folder in folders or ("site", ".cache/records"):
            for path in sorted((self.root / folder).rglob("*")):
                digest.update(str(path.relative_to(self.root)).encode())
                if path.is_file():
                    digest.update(path.read_bytes())
        return digest.hexdigest()
