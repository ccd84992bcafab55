"""The benchmark sees an edit in the page that is served."""

import json

import pytest

from tests.engine.scratch import REPOSITORY, Scratch
from tools.bench import serve_speed
from tools.bench.serve_speed import RESULTS, copied, measure


def test_an_edit_is_timed_until_the_page_shows_it(
    scratch: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch.add_hooks()
    results = scratch.root / "results.json"
    monkeypatch.setattr(serve_speed, "REPOSITORY", scratch.root)
    monkeypatch.setattr(serve_speed, "RESULTS", results)
    monkeypatch.setattr(serve_speed, "PAGES", ("count",))
    monkeypatch.setattr(serve_speed, "ROUNDS", 2)
    serve_speed.main()
    found = json.loads(results.read_text("utf-8"))
    assert found.keys() == json.loads(RESULTS.read_text("utf-8")).keys()
    assert found["rounds"] == 2
    assert found["seconds"]["count"] > 0
    said = scratch.capsys.readouterr().out
    assert said.startswith("count: an edit shows after ")


def test_a_sentence_that_never_shows_ends_the_benchmark(
    scratch: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serve_speed, "LOADS", 1)
    with pytest.raises(RuntimeError, match="Serving on"):
        measure(scratch.root, ("index",), 1)


def test_a_site_that_cannot_be_served_says_why(scratch: Scratch) -> None:
    scratch.replace("docs/index.md", "py:count", "py:cuont")
    with pytest.raises(RuntimeError, match='no section "cuont"'):
        measure(scratch.root, ("index",), 1)


def test_a_server_that_ends_says_why(
    scratch: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONPATH")
    with pytest.raises(RuntimeError, match="No module named engine"):
        measure(scratch.root, ("index",), 1)


def test_a_copy_is_edited_not_the_project(scratch: Scratch) -> None:
    scratch.write(".cache/records/kept.json", "{}")
    scratch.write("site/index.html", "")
    with copied(scratch.root) as root:
        (root / "docs/index.md").write_text("edited")
        assert (root / ".cache/records/kept.json").exists()
        assert not (root / "site").exists()
    assert "edited" not in (scratch.root / "docs/index.md").read_text()


def test_the_results_are_of_pages_that_there_are() -> None:
    kept = json.loads(RESULTS.read_text("utf-8"))
    assert set(kept["seconds"]) == set(serve_speed.PAGES)
    for page in kept["seconds"]:
        assert (REPOSITORY / f"docs/{page}.md").exists()
