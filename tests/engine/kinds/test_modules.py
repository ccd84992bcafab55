"""Python that a module may contain: whatever has no effect on import."""

import pytest

from tests.engine.kinds.site import Site

GOOD = {
    "async_def": "async def load(n: int) -> int:\n    return n\n",
    "augmented": "X = 1\nX += 1\n",
    "decorated": "from functools import cache\n\n\n"
    "@cache\ndef f(x: int) -> int:\n    return 2 * x\n",
    "fields": "from dataclasses import dataclass, field\n\n\n@dataclass\n"
    "class Settings:\n    sizes: list[int] = field(default_factory=list)\n",
    "enumeration": "from enum import Enum, auto\n\n\n"
    "class Mode(Enum):\n    TRAIN = auto()\n",
    "typevar": 'from typing import TypeVar\n\nT = TypeVar("T")\n',
    "all": '__all__ = ["X"]\nX = 1\n',
    "loop": "for i in range(3):\n    pass\n",
    "lambda_": "square = lambda x: x * x  # noqa\n",
    "paths": 'from pathlib import Path\n\nFOLDER = Path("data").resolve()\n',
    "logger": "import logging\n\nlogger = logging.getLogger(__name__)\n",
    "optional": "try:\n    import nothing_like_it\n"
    "except ImportError:\n    nothing_like_it = None\n",
    "checking": "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n"
    "    from nowhere import Nothing\n",
    "future": "from __future__ import annotations\n\n\n"
    "def f(x: Later) -> Later:\n    return x\n",
    "attribute": "import re\n\n\nclass A:\n    word = re.compile('a')\n",
    "constant": "import math\n\nTAU = math.sqrt(4 * math.pi**2)\n",
    "docstring": 'def f():\n    """Say.\n\n    ```python\n    f()\n'
    '    ```\n    """\n',
    "nested": "def f(d):\n    return f\"{d['a']:>{5}} {{}} {d!r}\"\n",
    "formfeed": "X = 1\n\f\nY = 2\n",
    "indented_text": 'TEXT = """\n    left\n      two\n"""\n',
    "backslash": "X = 1 + \\\n    2\n",
    "semicolons": "X = 1; Y = 2\n",
    "letters": "größe = 'é'\n",
    "walrus": "if (n := 3) > 2:\n    X = n\n",
    "matching": "def f(x):\n    match x:\n        case 1:\n"
    "            return 2\n",
    "name_main": "def f() -> str:\n    return __name__\n",
}
BAD = {
    "prints": ("X = 1\nprint('loud')\n", 2, "prints"),
    "writes": ("\n\nopen('made', 'w').close()\n", 3, ""),
    "runs": ("import os\n\nos.system('true')\n", 3, "os.system"),
    "raises": ("X = 1\n\nX / 0\n", 3, "raises ZeroDivisionError"),
    "exits": ("import sys\n\nsys.exit(0)\n", 3, ""),
    "sets": ("import os\n\nos.environ['A_B'] = 'c'\n", 3, "os.putenv"),
    "connects": ("import socket\n\nsocket.socket()\n", 3, "socket.__new__"),
    "cleans": ("import os\n\nos.mkdir('made')\n", 3, "os.mkdir"),
}
MARKED = {
    "tight": ("#region one\nX = 1\n#endregion one\n", "X = 1"),
    "words": ("# region one\nX = 1\n# endregion\n", "X = 1"),
    "single": (
        "if __name__ == '__main__':\n    # region one\n    print(1)\n"
        "    # endregion one\n",
        "print(1)",
    ),
    "tabs": (
        'if __name__ == "__main__":\n\t# region one\n\tfor i in range(2):\n'
        "\t\tprint(i)\n\t# endregion one\n",
        "for i in range(2):\n\tprint(i)",
    ),
    "margin": (
        'if __name__ == "__main__":\n    # region one\n    text = """\n'
        'left\n    four\n"""\n# at the margin\n    print(text)\n'
        "    # endregion one\n",
        'text = """\nleft\n    four\n"""\n# at the margin\nprint(text)',
    ),
    "continued": (
        'if __name__ == "__main__":\n    # region one\n    x = [1,\n2]\n'
        "    y = 1 + \\\n  2\n    print(x, y)\n    # endregion one\n",
        "x = [1,\n2]\ny = 1 + \\\n2\nprint(x, y)",
    ),
    "in_text": (
        '# region one\nX = """\n# region two\n# endregion one\n"""\n'
        "# endregion one\n",
        'X = """\n# region two\n# endregion one\n"""',
    ),
    "trailing": (
        "# region one\nX = 1  # region two\n# endregion one\n",
        "X = 1  # region two",
    ),
    "no_end": ("# region one\nX = 1\n# endregion one", "X = 1"),
    "method": (
        "class A:\n    # region one\n    def f(self):\n        return 1\n"
        "    # endregion one\n",
        "def f(self):\n    return 1",
    ),
}
FAULTY = {
    "open": ("\n# region one\nX = 1\n", 2, "is not closed"),
    "closed": ("X = 1\n# endregion one\n", 2, "is closed but not open"),
    "twice": (
        "# region one\nX = 1\n# endregion\n# region one\nX = 2\n# endregion\n",
        4,
        "is opened twice",
    ),
    "within": ("# region one\n# region two\nX = 1\n", 2, "inside section"),
    "empty": ("# region one\n\n# endregion one\n", 1, "is empty"),
    "unnamed": ("# region\nX = 1\n# endregion\n", 1, "without a name"),
    "syntax": ("X = 1\nY = (\n", 2, "not valid Python"),
    "await": ("X = 1\n\nawait X\n", 3, "not valid Python"),
    "half": (
        "if True:\n    X = 1\n# region one\nelse:\n    X = 2\n# endregion\n",
        4,
        "is not Python by itself",
    ),
    "return": (
        "def f():\n    # region one\n    return 1\n    # endregion one\n",
        3,
        "is not Python by itself: 'return' outside function",
    ),
    "crossing": (
        "for i in [1]:\n    # region one\n    X = i\nY = 1\n# endregion one\n",
        3,
        "is not Python by itself: unexpected indent",
    ),
    "nul": ("X = 1\nY = '\0'\n", 2, "not valid Python"),
    "bom": ("X = 1\n\n\ufeffY = 1\n", 3, "not valid Python"),
}


def fence(name: str) -> str:
    return f'# {name}\n\n```python run="snippets/{name}.py:one"\n```\n'


def write(site: Site, name: str, text: str) -> None:
    (site.root / f"snippets/{name}.py").write_text(text, "utf-8")


def test_what_has_no_effect_is_shown_as_it_stands(site: Site) -> None:
    for name, code in GOOD.items():
        write(site, name, f"# region one\n{code}# endregion one\n")
        site.page(name, fence(name))
    ended, words = site.engine("check")
    assert ended == 0, words
    built = site.good()
    for name, code in GOOD.items():
        shown = site.alike(name, "").blocks[0][0]
        assert shown == code.rstrip("\n").replace("\f", ""), name
        compile((built / f"{name}.py").read_text("utf-8"), name, "exec")


def test_what_has_an_effect_is_named_with_its_line(site: Site) -> None:
    for name, (text, _, _) in BAD.items():
        write(site, name, text)
    code, words = site.engine("check")
    assert code == 1
    for name, (_, line, problem) in BAD.items():
        start = f"snippets/{name}.py:{line}: "
        named = [w for w in words.splitlines() if w.startswith(start)]
        assert named, (name, words)
        assert problem in named[0], named
    assert words.count("mend:") == len(BAD)
    assert not list(site.root.rglob("made"))


def test_sections_are_cut_where_their_markers_stand(site: Site) -> None:
    for name, (text, _) in MARKED.items():
        write(site, name, text)
        site.page(name, fence(name))
    site.good()
    outputs = {
        "single": "1",
        "continued": "[1, 2] 3",
        "tabs": "0\n1",
        "margin": "\nleft\n    four",
    }
    for name, (_, code) in MARKED.items():
        page = site.alike(name, outputs.get(name, ""))
        assert page.blocks[0][0] == code, name


@pytest.mark.parametrize("name", FAULTY)
def test_a_fault_is_named_once_by_check_and_build(
    site: Site, name: str
) -> None:
    text, line, problem = FAULTY[name]
    write(site, name, text)
    site.page(name, fence(name))
    words = site.bad()
    assert f"snippets/{name}.py:{line}: " in words
    assert problem in words
    assert words.count("mend:") == 1
