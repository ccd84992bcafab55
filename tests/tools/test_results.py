"""Results are kept as short JSON."""

import json
from pathlib import Path

import pytest

from tools.results import WIDTH, write_json

KEPT = Path(__file__).parents[2] / "snippets/results"


@pytest.mark.parametrize(
    "results",
    [
        {},
        [],
        {"a": 1, "b": [1, 2]},
        {"name": {"word": "w" * 40, "list": [["x" * 30] * 4], "n": 1.5e-05}},
        [{"a": "b" * 90}, "c" * 90, [], {}, None, True],
        [list(range(60)), {str(n): n for n in range(30)}],
    ],
)
def test_what_is_written_is_read_again(
    results: object, tmp_path: Path
) -> None:
    path = tmp_path / "results.json"
    write_json(path, results)
    text = path.read_text("utf-8")
    assert json.loads(text) == results
    assert text.endswith("\n")
    assert all(
        len(line) <= WIDTH or line.count('"') <= 4
        for line in text.splitlines()
    )


def test_what_fits_on_a_line_stands_on_one(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    rows = {f"row {n}": [n, n + 0.25] for n in range(9)}
    write_json(path, {"date": "today", "rounds": 3, "rows": rows, "end": 1})
    assert path.read_text("utf-8").splitlines() == [
        "{",
        ' "date": "today", "rounds": 3,',
        ' "rows": {',
        *(f'  "row {n}": [{n}, {n + 0.25}],' for n in range(8)),
        '  "row 8": [8, 8.25]',
        " },",
        ' "end": 1',
        "}",
    ]


@pytest.mark.parametrize(
    "name", ["build_speed", "loop_speed", "mutants", "serve_speed", "versions"]
)
def test_what_is_kept_is_as_it_would_be_written(
    name: str, tmp_path: Path
) -> None:
    kept = (KEPT / f"{name}.json").read_text("utf-8")
    write_json(tmp_path / "again.json", json.loads(kept))
    assert (tmp_path / "again.json").read_text("utf-8") == kept
