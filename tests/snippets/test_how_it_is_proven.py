"""The page says what the results of the trials hold."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tools.verdicts import tamed, verdict
from tools.versions import read_results

ROOT = Path(__file__).parents[2]


@pytest.fixture
def printed(printed_by: Callable[[str], list[str]]) -> list[str]:
    """What the module prints as a script, line by line."""
    return printed_by("how_it_is_proven")


def test_each_set_of_versions_has_its_row(printed: list[str]) -> None:
    whole = re.compile(
        r"([\d.]+) +([\d.]+) +([\d.]+) +(\d+) of (\d+) +(\d+) of (\d+)"
    )
    rows = [m for line in printed if (m := whole.fullmatch(line))]
    ran = [r for r in read_results(ROOT).values() if "pages" in r]
    assert len(rows) == len(ran) > 5
    for row, result in zip(rows, ran, strict=True):
        found = [result["versions"][n] for n in ("Python", "TensorFlow")]
        assert list(row.groups()[:2]) == found
        _, _, keras, passed, tests, same, pages = row.groups()
        assert keras == result["versions"]["Keras"]
        all_well = passed == tests and same == pages
        assert all_well is (verdict(result) == "all as shown")


def test_traps_and_sets_that_are_left_out_are_named(
    printed: list[str],
) -> None:
    results = read_results(ROOT)
    for name, result in results.items():
        assert (name in printed) is ("pages" not in result)
    failed = [test for r in results.values() for test in r.get("failed", [])]
    said = str(tamed(failed) or "none")
    assert f"traps that do not spring everywhere: {said}" in printed


def test_the_counts_of_sentences_are_added_up(printed: list[str]) -> None:
    kept = json.loads((ROOT / "snippets/results/claims.json").read_text())
    for kind in ("sentences", "facts", "held", "shown", "not testable"):
        total = sum(counts[kind] for counts in kept.values())
        assert f"{kind:12} {total:5}" in printed
    facts, *held = (
        sum(counts[kind] for counts in kept.values())
        for kind in ("facts", "held", "shown", "not testable", "open")
    )
    assert facts == sum(held)


def test_sentences_that_are_not_true_are_counted(
    printed_by: Callable[[str], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = [r for r in read_results(ROOT).values() if "pages" in r]
    for row in ran:
        row.pop("untrue", None)
    ran[0]["untrue"] = {"traps": ["one", "two"], "index": ["three"]}
    results = json.dumps({str(n): row for n, row in enumerate(ran)})
    loads = json.loads

    def other(text: str) -> object:
        return loads(results if '"pages"' in text else text)

    monkeypatch.setattr(json, "loads", other)
    printed = printed_by("how_it_is_proven")
    found = ran[0]["versions"]
    at = printed.index(f"sentences tried with 1 of {len(ran)} sets")
    assert printed[at + 1] == (
        f"TensorFlow {found['TensorFlow']}, Keras {found['Keras']}: "
        "3 sentences not true, on 2 pages"
    )


def test_the_score_of_each_folder_is_that_of_its_results(
    printed: list[str],
) -> None:
    line = re.compile(r"(\w+) +(\d+) of +(\d+) changes killed, ([\d.]+) %")
    rows = [m.groups() for text in printed if (m := line.fullmatch(text))]
    assert [folder for folder, *_ in rows] == ["snippets", "engine"]
    kept = json.loads((ROOT / "snippets/results/mutants.json").read_text())
    for (folder, *found), result in zip(rows, kept.values(), strict=True):
        killed, counted, percent = map(float, found)
        assert counted == killed + len(result["survivors"])
        assert killed == result["killed"], folder
        assert percent == pytest.approx(100 * killed / counted, abs=0.05)


def test_the_solutions_count_what_failed_and_name_what_differs(
    printed: list[str],
) -> None:
    ran = [r for r in read_results(ROOT).values() if "pages" in r]
    for line in printed:
        if match := re.fullmatch(r"Keras (.+): at most (\d+) tests.*", line):
            failed = [
                len(r["failed"])
                for r in ran
                if r["versions"]["Keras"] == match[1]
            ]
            assert int(match[2]) == max(failed)
    differ = {page for r in ran for page in r["pages"] if r["pages"][page]}
    assert set(printed[-len(differ) :]) == differ
