"""The benchmark builds the same blocks everywhere."""

import ast
import json
import multiprocessing
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from engine.build.author import read_all
from tools.bench import build_speed
from tools.bench.build_speed import medians, rounded
from tools.bench.generators import (
    BARE,
    EDITED_BLOCK,
    OTHERS,
    OURS,
    Edit,
    Guide,
    Run,
    read_guide,
)


@pytest.fixture(scope="module")
def guide(site: Path) -> Guide:
    return read_guide()


def measure_briefly(results: Path) -> None:
    """Measure one round for real, beside peers that build nothing."""
    for name, peer in OTHERS.items():
        OTHERS[name] = replace(peer, command=(sys.executable, "-c", ""))
    build_speed.RESULTS = results
    build_speed.main(["--rounds", "1", "--growth", "1"])


def test_all_is_measured_that_the_repository_keeps(
    site: Path, tmp_path: Path
) -> None:
    """In a process of its own, which waits for all that builds leave."""
    results = tmp_path / "results.json"
    spawn = multiprocessing.get_context("spawn")
    process = spawn.Process(target=measure_briefly, args=(results,))
    process.start()
    process.join()
    assert process.exitcode == 0
    found = json.loads(results.read_text("utf-8"))
    kept = json.loads(build_speed.RESULTS.read_text("utf-8"))
    assert found.keys() <= kept.keys()
    assert shape(found["one_page"]) == shape(kept["one_page"])
    assert len(found["ten_pages"]) == len(kept["ten_pages"])
    assert found["growth"] == {"1": found["one_page"]["ours"]["cold"]}


def test_a_build_that_fails_ends_the_benchmark(tmp_path: Path) -> None:
    code = "print('what is wrong'); raise SystemExit(1)"
    fails = replace(OURS, command=(sys.executable, "-c", code))
    with pytest.raises(RuntimeError, match="what is wrong"):
        build_speed.build(fails, tmp_path)


def shape(found: object) -> object:
    """Return what was measured, without what came of it."""
    if isinstance(found, dict):
        return {key: shape(part) for key, part in found.items()}
    return type(found)


def test_the_median_of_the_rounds_counts_to_the_hundredth() -> None:
    rounds = [{"cold": {"wall": t, "cpu": 2 * t}} for t in (9.0, 1.006, 2.0)]
    assert medians(rounds) == {"cold": {"wall": 2.0, "cpu": 4.0}}
    assert rounded({"a": [1], "b": 1.006}) == {"a": [1], "b": 1.01}


def test_our_project_has_the_blocks_of_the_guide(
    guide: Guide, tmp_path: Path
) -> None:
    OURS.write(guide, tmp_path, 2, Edit())
    pages = read_all(tmp_path)
    assert len(pages) == 2
    for page in pages:
        assert [b.code for b in page.program.blocks] == [
            b.code for b in guide.blocks
        ]


def test_an_edit_changes_the_first_page_alone(
    guide: Guide, tmp_path: Path
) -> None:
    OURS.write(guide, tmp_path, 2, Edit())
    before = read_all(tmp_path)
    OURS.write(guide, tmp_path, 2, Edit("New words.", "# New code."))
    first, second = read_all(tmp_path)
    assert "New words." in first.read.html
    assert second.read.html == before[1].read.html
    assert first.program.blocks[EDITED_BLOCK - 1].code.endswith("# New code.")


@pytest.mark.parametrize("tool", OTHERS)
def test_a_peer_gets_every_block_in_page_order(
    guide: Guide, tmp_path: Path, tool: str
) -> None:
    OTHERS[tool].write(guide, tmp_path, 2, Edit())
    (first, second) = sorted(tmp_path.rglob("page_*"))
    for file in (first, second):
        text = file.read_text("utf-8")
        if file.suffix == ".ipynb":
            cells = json.loads(text)["cells"]
            text = "\n".join(cell["source"] for cell in cells)
        if file.suffix == ".py":
            ast.parse(text)
        at = 0
        for block in guide.blocks:
            line = block.code.split("\n")[0]
            at = text.index(line, at)
    OTHERS[tool].write(guide, tmp_path, 2, Edit("New words.", "# New code."))
    assert "New words." in first.read_text("utf-8")
    assert "# New code." in first.read_text("utf-8")
    assert "New words." not in second.read_text("utf-8")


def test_the_bare_page_has_the_figures_of_the_record(
    guide: Guide, tmp_path: Path
) -> None:
    BARE.write(guide, tmp_path, 1, Edit())
    text = (tmp_path / "docs/page_000.md").read_text("utf-8")
    drawn = sum(bool(run.alt) for run in guide.pieces if isinstance(run, Run))
    assert text.count("<svg ") == drawn
