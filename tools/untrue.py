"""Which sentences of the pages tests that failed were to hold."""

import ast
from collections.abc import Iterable
from functools import cache
from pathlib import Path

CLAIMS = "tests/claims"


def untrue(root: Path, failed: Iterable[str]) -> dict[str, list[str]]:
    """Return what each page says that is not true, as its tests quote it."""
    found: dict[str, list[str]] = {}
    for name in failed:
        file, _, test = name.partition("::")
        if not file.startswith(f"{CLAIMS}/"):
            continue
        for page, quote in _quotes(root / file).get(test.split("[")[0], []):
            said = found.setdefault(page, [])
            if quote not in said:
                said.append(quote)
    return found


@cache
def _quotes(path: Path) -> dict[str, list[tuple[str, str]]]:
    """Return pages and quotes by the tests that quote them."""
    own = path.stem.removeprefix("test_")
    found: dict[str, list[tuple[str, str]]] = {}
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.FunctionDef):
            continue
        for decorator in node.decorator_list:
            match decorator:
                case ast.Call(ast.Name("says"), [quote, *more], keywords):
                    given = [*more, *(k.value for k in keywords)]
                    page = ast.literal_eval(given[0]) if given else own
                    said = " ".join(ast.literal_eval(quote).split())
                    found.setdefault(node.name, []).append((page, said))
    return found
