"""What a reader does with a page: take its code and its outputs."""

import json
import re
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bs4 import BeautifulSoup

from tests.site.cut_off import cut_off

BLOCK = re.compile(r"(?m)^[> ]*```(?:python run=|console|\w+ source=)")
"""How a block opens in the source of a page."""

LOGGED = re.compile(
    r"(?m)^(WARNING: All log messages before absl::InitializeLog\(\) .*"
    r"|I0000 .*\] oneDNN custom operations are on\. .*)\n"
)
"""What the first import of TensorFlow logs, which no page shows."""

ISOLATED = [sys.executable, "-I", "-u"]

END_OF_BLOCK = "<<< end of block >>>"
BEGAN = "__file__.removesuffix('.py')"
"""The folder in which the program began, wherever it has moved since."""


@cache
def read(path: Path) -> BeautifulSoup:
    """Return the page at the path, which nobody may change."""
    return BeautifulSoup(path.read_text("utf-8"), "html5lib")


@dataclass(frozen=True)
class Copied:
    """A block as it was copied from a page."""

    code: str
    output: str
    raises: str = ""
    file: str = ""
    exits: str = ""
    """The exit code of a command, and nothing for other blocks."""

    def deed(self) -> str:
        """Return what a reader does with the block, as Python."""
        if self.file:
            return (
                f"with open({BEGAN} + '/{self.file}', 'a') as file:\n"
                f"    file.write({self.code!r})\n"
            )
        if self.exits:
            return (
                "import subprocess\n"
                f"command = ['sh', '-ec', {self.code!r}]\n"
                f"ended = subprocess.run(command, cwd={BEGAN})\n"
                f"assert ended.returncode == {self.exits}\n"
            )
        if self.raises:
            return (
                "import traceback\n"
                f"try:\n{textwrap.indent(self.code, '    ')}\n"
                "except Exception as error:\n"
                f"    assert type(error).__name__ == {self.raises!r}\n"
                "    print(''.join(traceback.format_exception_only(error))"
                ".strip())\n"
            )
        return self.code


def copied_blocks(html: BeautifulSoup) -> list[Copied]:
    """Return the blocks that the page shows, in page order."""
    blocks = []
    for block in html.select(".run[data-block]"):
        code = block.select_one(".highlight pre > code")
        output = block.select_one(".run-output samp")
        assert code is not None
        blocks.append(
            Copied(
                code.get_text(),
                output.get_text() if output else "",
                str(block.get("data-raises", "")),
                str(block.get("data-file", "")),
                str(block.get("data-exits", "")),
            )
        )
    return blocks


def run_alone(code: str, folder: Path, fonts: Path) -> str:
    """Run the code as a reader without a network would; return its output.

    The interpreter is isolated and the folder is empty, so the project
    cannot be imported.  ``fonts`` is where Matplotlib keeps its list of
    fonts, for which it says so when it has to be made.
    """
    program = _written(code, folder)
    result = subprocess.run(
        cut_off([*ISOLATED, str(program)]),
        cwd=folder,
        env=_environment(folder, fonts),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return _printed(result.returncode, result.stdout)


class Preloaded:
    """Runs code as ``run_alone`` does, but with imports that are shared.

    The imports take longer than most programs.
    """

    def __init__(self, home: Path, fonts: Path) -> None:
        self._process = subprocess.Popen(
            cut_off(
                [*ISOLATED, str(Path(__file__).with_name("preloaded.py"))]
            ),
            cwd=home,
            env=_environment(home, fonts),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run_alone(self, code: str, folder: Path) -> str:
        """Run the code in the empty folder; return its output."""
        program = _written(code, folder)
        asked = {"program": str(program), "folder": str(folder)}
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{json.dumps(asked)}\n")
        self._process.stdin.flush()
        exit_code = int(self._process.stdout.readline())
        return _printed(exit_code, Path(f"{program}.txt").read_bytes())

    def close(self) -> None:
        """Let the process end; wait for that."""
        self._process.communicate()


def _written(code: str, folder: Path) -> Path:
    """Write the code beside the folder, which has to be empty."""
    assert not list(folder.iterdir())
    program = folder.with_suffix(".py")
    program.write_text(code, encoding="utf-8")
    return program


def _environment(home: Path, fonts: Path) -> dict[str, str]:
    return {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "PYTHONUNBUFFERED": "1",
        "HOME": str(home),
        "MPLBACKEND": "agg",
        "MPLCONFIGDIR": str(fonts),
        "CUDA_VISIBLE_DEVICES": "-1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }


def _printed(exit_code: int, output: bytes) -> str:
    # Decoded here, so that carriage returns stay what they are.
    printed = LOGGED.sub("", output.decode("utf-8"))
    assert exit_code == 0, printed
    return re.sub(r"\S*/site-packages/", "", printed)
