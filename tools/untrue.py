"""Which sentences of the pages tests that failed were to hold."""

import ast
from collections.abc import Iterable
from pathlib import Path

CLAIMS = "tests/claims"


def untrue(root: Path, failed: Iterable[str]) -> dict[str, list[str]]:
    """Return what each page says that is not true, as its tests quote it."""
    found: dict[str, dict[str, None]] = {}
    for name in failed:
        file, _, test = name.partition("::")
        if not file.startswith(f"{CLAIMS}/"):
            continue
        for one, page, quote in quotes_of(root / file):
            if one == test.split("[")[0]:
                found.setdefault(page, {})[" ".join(quote.split())] = None
    return {page: [*said] for page, said in found.items()}


def quotes_of(path: Path) -> list[tuple[str, str, str]]:
    """Return the tests of a module, with page and quote, without a run."""
    own = path.stem.removeprefix("test_")
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.FunctionDef):
            continue
        for decorator in node.decorator_list:
            match decorator:
                case ast.Call(ast.Name("says"), [quote, *more], keywords):
                    given = [*more, *(k.value for k in keywords)]
                    page = ast.literal_eval(given[0]) if given else own
                    found.append((node.name, page, ast.literal_eval(quote)))
    return found
