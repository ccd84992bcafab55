"""What the page on proof says is true."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.claims.ledger import (
    COUNTS,
    LEAST_SHARE,
    counts,
    is_judged,
    standing,
)
from tests.claims.says import missing, printed, record, says
from tests.claims.sentences import DOCS, ROOT, names, read

NAME = "how_it_is_proven"
GUIDE = "test_basic_training_loops.py"
PAGE = read(NAME)
SOURCE = (DOCS / f"{NAME}.md").read_text("utf-8")
KEPT = record(NAME)
RESULTS = ROOT / "snippets/results"
VERSIONS: dict[str, Any] = json.loads((RESULTS / "versions.json").read_text())
RAN = [result for result in VERSIONS.values() if "pages" in result]
MUTANTS: dict[str, Any] = json.loads((RESULTS / "mutants.json").read_text())
MAKE = (ROOT / "Makefile").read_text("utf-8")
WORKFLOWS = {
    path.stem: path.read_text("utf-8")
    for path in (ROOT / ".github/workflows").glob("*.yml")
}


def named_in(folder: str) -> str:
    """Return the names of all tests in a folder, line by line."""
    found: list[str] = []
    for path in sorted((ROOT / folder).rglob("test_*.py")):
        text = path.read_text("utf-8")
        found += re.findall(r"(?m)^def (test_\w+)", text)
    return "\n".join(found)


def text(path: str) -> str:
    return (ROOT / path).read_text("utf-8")


# What you see


@says(
    "How every block, output, figure and number on this site was "
    "checked, by which test, and with which versions of TensorFlow and "
    "Keras."
)
@says(
    "At the end of this page you can say what was done before you were "
    "shown a block, an output or a number on this site, and with which "
    "versions."
)
@says("What you see, and how it was checked")
@says("From there on, checks look at every piece.")
def test_every_piece_has_its_check() -> None:
    [part] = re.findall(r"(?s)## What you see.*?\n## ", SOURCE)
    pieces = re.findall(r"(?m)^\*\*(.+?)\*\*", part)
    assert len(pieces) == 11
    assert len(RAN) > 5


@says(
    "A page of this site is a program. Its blocks, in the order in "
    "which you read them, are run in a process and a folder of their "
    "own, and what they print and draw is what stands below them."
)
@says("**A block of code** ran, exactly as it is shown; no line is hidden.")
@says(
    "**A number within a sentence** was computed by the run, at the "
    "place where it stands, and is kept like an output."
)
def test_blocks_and_values_are_kept_in_their_order() -> None:
    for name in names():
        source = (DOCS / f"{name}.md").read_text("utf-8")
        if "run=" not in source:
            continue
        shown = [block.name for block in read(name).blocks]
        kept = [
            k.rpartition(":")[2]
            for k in record(name)
            if re.fullmatch(r"\w+:\w+", k)
        ]
        # What several files share is kept once, under one name.
        assert {*kept} == {*shown}, name
        first = dict.fromkeys(shown)
        assert [k for k in kept if shown.count(k) == 1] == [
            k for k in first if shown.count(k) == 1
        ], name
    assert 'min(r["date"] for r in ran)' in KEPT
    assert "os.fork()" in text("engine/run/server.py")
    processes = named_in("tests/engine/run")
    assert "test_a_program_prints_what_the_readers_script_prints" in processes
    assert "test_the_environment_is_the_readers" in processes
    assert "test_every_block_of_the_source_is_shown" in named_in("tests/site")


@says(
    "Tests call the same functions, compare them with NumPy or a closed "
    "form, and reach every line."
)
def test_every_line_of_the_snippets_is_reached() -> None:
    assert re.search(r"--include='snippets/\*' --fail-under=100", MAKE)
    tested = "".join(
        path.read_text("utf-8")
        for path in (ROOT / "tests/snippets").glob("*.py")
    )
    assert "np.testing.assert_allclose" in tested


@says(
    "**What it printed** came from that run. It is kept as text, and "
    "every later run has to say the same: words exactly, numbers within "
    "a stated tolerance."
)
@says(
    "**A figure** is held to the same by the data that it draws: "
    "limits, labels, points. Each has a text for readers who cannot see "
    "it."
)
def test_outputs_and_figures_are_kept() -> None:
    from tools.compare import same

    assert same("loss 1.0000", "loss 1.0004", 0.001)
    assert not same("loss 1.0000", "loss 1.0040", 0.001)
    assert not same("loss 1.0000", "lost 1.0000", 0.001)
    for name in names():
        kept = ROOT / f"tests/expected/{name}.txt"
        if not kept.exists():
            continue
        lines = kept.read_text("utf-8")
        assert re.match(r"numbers agree within \S+\n", lines)
        drawn = {
            key.rpartition(":")[2]
            for key, item in record(name).items()
            if re.search(r"(?m)^figure$", item)
        }
        with_text = {b.name for b in read(name).blocks if "alt" in b.options}
        assert drawn <= with_text, name
    guide = text("tests/expected/basic_training_loops.txt")
    for what in (r"x: '.*', linear, from", r"legend: ", r"\d+ points\n"):
        assert re.search(what, guide)


@says(
    "**An error** was announced. A block that fails unannounced, or "
    "does not fail as announced, ends the build."
)
def test_errors_are_announced() -> None:
    for name in names():
        for block in read(name).blocks:
            if "raises" in block.options:
                error = f"{block.options['raises']}: "
                assert error in printed(name, block_key(name, block.name))
    checks = named_in("tests/engine/run")
    assert "test_a_failure_that_was_announced" in checks
    assert re.search("test_a_.*that_was_to_fail_and_does_not", checks)


def block_key(page: str, section: str) -> str:
    """Return the section with its module, as it is kept."""
    [key] = [k for k in record(page) if k.endswith(f":{section}")]
    return key


@says(
    "**The button that copies** was put to the test: every block was "
    "copied out of the finished page, in order, and run alone in an "
    "empty folder without a network. It printed what the page shows."
)
@says(
    "**The notebook and the script** were made from the same run. The "
    "notebook of the [guide](basic_training_loops.md) was also run "
    "again."
)
@says(
    "**A link** within the site leads to a page, a file or a heading that "
    "exists."
)
@says(
    "**The page itself** loads nothing from another host, names nothing "
    "of the machine that built it, and is the same to the byte when it "
    "is built again."
)
@pytest.mark.parametrize(
    "name",
    [
        "copied_blocks_print_what_the_page_shows",
        "copies_run_without_a_network",
        "the_notebook_is_valid_and_holds_what_the_page_shows",
        "the_script_runs_alone_and_prints_what_the_page_shows",
        "the_notebook_of_the_guide_runs_again_and_prints_the_same",
        "links_lead_somewhere",
        "nothing_is_loaded_from_another_host",
        "nothing_tells_of_the_machine_that_built_it",
        "another_clean_build_is_the_same_to_the_byte",
    ],
)
def test_the_built_site_is_tested(name: str) -> None:
    assert f"test_{name}\n" in named_in("tests/site")


@says(
    "**A trap and its mend** are tested together: each of the [silent "
    "failures](traps.md) still springs, its mend works, its check tells "
    "it."
)
def test_traps_and_mends_are_tested() -> None:
    found = named_in("tests/snippets")
    for number in range(1, 18):
        assert f"test_trap_{number:02}_springs" in found
        assert f"test_trap_{number:02}_is_mended" in found
    traps = (DOCS / "traps.md").read_text("utf-8")
    assert len(re.findall(r"(?m)^## \d+\. ", traps)) == 17


@says(
    "Numbers are compared on machines that are much alike, so yours may "
    "differ in the last decimals."
)
@says(
    "And a check knows only what it was told to look at: whether a "
    "sentence explains well, people have to judge, and also which "
    "sentences state a fact."
)
def test_the_limits() -> None:
    assert "AMD EPYC" in text("snippets/results/loop_speed.json")
    marks = {
        line.split(" ")[0]
        for path in (ROOT / "tests/claims/judged").glob("*.txt")
        for line in path.read_text("utf-8").splitlines()
    }
    assert "-" in marks
    assert marks <= {"-", "^", "!", "?"}


# Tested with


@says("The pages are written for the versions that stand at the end of each.")
@says(
    "So the tests of the snippets and the programs of all pages were "
    "also run with older ones, each set in an environment of its own."
)
@says("The results are a file that the trial wrote.")
@says(
    "The next block prints a line for each set of versions: how many "
    "tests passed, and how many pages printed and drew what they do "
    "here."
)
@says("pages and tests that are newer are in none of the counts.")
def test_the_sets_of_versions() -> None:
    rows = printed(NAME, "read").splitlines()[1:]
    assert len(rows) == len(RAN)
    for row, result in zip(rows, RAN, strict=True):
        found = [*map(int, re.findall(r"(\d+) of +(\d+)", row)[0])]
        assert found[0] == result["passed"]
        assert found[1] == result["passed"] + len(result["failed"])
        pages = result["pages"].values()
        shown = [*map(int, re.findall(r"(\d+) of +(\d+)", row)[1])]
        assert shown == [sum(not told for told in pages), len(pages)]
    assert {r["versions"]["TensorFlow"] for r in RAN} > {
        "2.18.1",
        "2.19.1",
        "2.20.0",
    }
    counts = {r["passed"] + len(r["failed"]) for r in RAN}
    pages = {len(result["pages"]) for result in RAN}
    assert len(counts) == len(pages) == 1, "all rows count the same"
    tool = text("tools/versions.py")
    assert 'RESULTS = Path("snippets/results/versions.json")' in tool
    assert "tests/snippets" in tool
    assert '["venv", ' in tool
    assert "test_the_page_says_what_it_ran_with" in named_in("tests/site")


@says(
    'Of the {{ len(ran) }} sets, {{ sum(not r["failed"] for r in ran) '
    "}} pass every test. What fails, fails with an older TensorFlow or an "
    "older Keras, and most of it with an older Keras."
)
@says(
    'The oldest row is of {{ min(r["date"] for r in ran) }}, the newest '
    'of {{ max(r["date"] for r in ran) }};'
)
def test_what_fails() -> None:
    assert KEPT["len(ran)"] == str(len(RAN))
    assert KEPT['sum(not r["failed"] for r in ran)'] == str(
        sum(not result["failed"] for result in RAN)
    )
    newest = RAN[0]["versions"]
    of_keras, of_tensorflow = 0, 0
    for result in RAN:
        found, failed = result["versions"], len(result["failed"])
        if found["Keras"] != newest["Keras"]:
            of_keras += failed
        else:
            of_tensorflow += failed
            assert not failed or found["TensorFlow"] != newest["TensorFlow"]
    assert of_keras > of_tensorflow > 0
    dates = sorted(result["date"] for result in RAN)
    for which, date in (("min", dates[0]), ("max", dates[-1])):
        assert KEPT[f'{which}(r["date"] for r in ran)'] == date


@says("The name of a test says what it holds.")
@says(
    "Here each that fails stands once, below the newest versions with "
    "which it fails; those of sentences [come further "
    "down](#sentences-held-by-tests)."
)
def test_what_fails_is_named() -> None:
    lines = printed(NAME, "named").splitlines()
    named: dict[str, str] = {}
    for line in lines:
        if line.startswith("TensorFlow "):
            heading = line
        else:
            assert line not in named
            named[line] = heading
    failed: dict[str, str] = {}
    for result in reversed(RAN):
        found = result["versions"]
        at = f"TensorFlow {found['TensorFlow']}, Keras {found['Keras']}"
        for test in result["failed"]:
            if test.startswith("tests/snippets/"):
                page, name = re.findall(r"test_(\w+)\.py::test_(.*)", test)[0]
                failed[f"  {page}: {name.replace('_', ' ')}"] = at
    assert named == failed


@says(
    "When a release mends a trap, the page about it has to change. So a "
    "trap that does not spring with one of the sets is named:"
)
def test_a_trap_that_does_not_spring() -> None:
    from tools.verdicts import tamed

    tame = {trap for result in RAN for trap in result["tamed"]}
    said = printed(NAME, "traps").strip()
    assert said.endswith(f": {sorted(tame) or 'none'}")
    assert tamed(["t.py::test_trap_05_springs", "t.py::test_x"]) == [5]


@says(
    "Some sets could not be installed, because there is no TensorFlow "
    "for that Python:"
)
@says("A set of versions that is in neither list was not tried.")
def test_what_could_not_be_installed() -> None:
    left = printed(NAME, "left_out").splitlines()
    assert left == [n for n, r in VERSIONS.items() if "not installed" in r]
    for name in left:
        assert "No solution found" in VERSIONS[name]["not installed"]
        assert name.startswith("py3.13-tf2.1")
        assert name.endswith("kerasnewest")
    assert {*VERSIONS} == {*left} | {
        n for n, r in VERSIONS.items() if r in RAN
    }


# Sentences held by tests


@says(
    "**A sentence that states a fact** is quoted by a test that shows "
    "it to be true. [How many](#sentences-held-by-tests) are."
)
@says("Code and outputs cannot be false here; sentences could.")
@says(
    "A fact is what a change of TensorFlow, Keras, NumPy, Python or "
    "this site could make false: a default, an order, a count, what a "
    "call raises, what a figure shows."
)
@says(
    "A test quotes the sentence, runs what it speaks of, and fails if "
    "either the sentence or the fact is no longer there."
)
def test_a_quote_that_is_gone_fails() -> None:
    assert not missing("Code and outputs cannot be false here;", NAME)
    gone = missing("Code and outputs can be false here;", NAME)
    assert "does not say" in gone
    rules = text("tests/claims/README.md")
    assert (
        "TensorFlow, Keras, NumPy, Python, a snippet or the site could"
        in rules
    )
    assert "Sentences held by tests" in SOURCE


@says("How the sentences of all pages stand is in a file:")
@says(
    'So on {{ len(claims) }} pages {{ total["facts"] }} sentences state '
    'a fact, and {{ (total["held"] + total["shown"]) / '
    'total["facts"]:.1%}} of these are held: by a test, or by the block '
    "beside them, which shows what they say."
)
@says("The next block adds them up:")
def test_the_counts_are_those_of_today() -> None:
    pages = [*filter(is_judged, names())]
    assert COUNTS.read_text("utf-8") == counts(pages), (
        "they are not: write them anew with python -m tests.claims "
        "--write-counts, and then make expected"
    )
    rows = json.loads(COUNTS.read_text("utf-8")).values()
    for line in printed(NAME, "claims").splitlines():
        kind, count = line[:12].strip(), int(line[12:])
        assert count == sum(row[kind] for row in rows)
    facts = sum(row["facts"] for row in rows)
    held = sum(row["held"] + row["shown"] for row in rows)
    assert KEPT['total["facts"]'] == str(facts)
    assert f"{held / facts:.1%}" in KEPT.values()
    assert KEPT["len(claims)"] == str(len(rows))


@says(
    "The rest, a sentence on a page of another host, say, cannot be "
    "tested; a list in `tests/claims/judged/` gives the reason for "
    "each. On no page may the share be below 95 %."
)
def test_the_rest_has_its_reasons() -> None:
    assert LEAST_SHARE == 0.95
    for path in (ROOT / "tests/claims/judged").glob("*.txt"):
        reasons = re.findall(r"(?m)^! (.*?) \| ", path.read_text("utf-8"))
        untested = standing(path.stem).row[4]
        assert len(reasons) == untested
        assert all(len(reason.split()) > 1 for reason in reasons)


@says(
    "The same tests are run with other versions. Which sentences are "
    "not true there is in the file above, under `untrue`."
)
@says("How many are they?")
def test_sentences_are_tried_with_other_versions() -> None:
    from tools.versions import TESTS

    assert "tests/claims" in TESTS
    tried = [result for result in RAN if "untrue" in result]
    lines = printed(NAME, "untrue").splitlines()
    assert lines[0] == f"sentences tried with {len(tried)} of {len(RAN)} sets"
    for line, result in zip(lines[1:], tried, strict=True):
        count = sum(map(len, result["untrue"].values()))
        assert f": {count} sentences not true" in line


# The tests are tested


@says(
    "So the code is spoilt on purpose, in one place at a time: a `<` "
    "becomes `<=`, a 3 becomes a 4, a condition its opposite."
)
@says(
    "Then the tests that belong to the file are run, and the pages that "
    "show it. One of them has to fail."
)
@says("What came of it is in a second file:")
@says(
    "The next block prints how many changes were noticed, for the code "
    "that the pages show and for the engine that runs them."
)
@says("What still goes unnoticed is in the file under `survivors`.")
@says("A test that cannot fail proves nothing.")
def test_the_code_is_spoilt_on_purpose() -> None:
    assert [*MUTANTS] == ["snippets", "engine"]
    lines = printed(NAME, "mutants").splitlines()
    for line, (folder, result) in zip(lines, MUTANTS.items(), strict=True):
        counted = result["tried"] - result["equivalent"]
        start = f"{folder:8}  {result['killed']:3} of {counted:3} changes"
        assert line.startswith(start)
        assert counted - result["killed"] == len(result["survivors"])
    changes = "\n".join(
        f"{s['was']} -> {s['now']}"
        for r in MUTANTS.values()
        for s in r["survivors"]
    )
    changes += "\n" + text("tools/equivalent.toml")
    assert re.search(r"(?m)^(if|while) (.*) -> \1 not \2$", changes)
    assert "tf.constant(3.0)" in changes
    assert "tf.constant( 4.0)" in changes
    assert "tools.quick --tests" in text("tools/mutants.py")
    spoilt = {"snippets/loss.py"}
    quick = pytest.importorskip(
        "tools.quick", reason="there is no generator here"
    )
    pages = quick.pages_of(ROOT, spoilt)
    assert {"basic_training_loops", "traps"} <= pages
    assert "real_problem" not in pages, "it has a loss of its own"
    tests = quick.tests_of(ROOT, spoilt, pages, all_kinds=False)
    assert {"tests/snippets/test_loss.py", f"tests/claims/{GUIDE}"} <= {*tests}
    assert "tests/snippets/test_real_problem.py" not in tests


@says(
    "Changes that cannot show, such as one more epoch where training "
    "stops early, are not counted."
)
@says(
    'Of {{ sum(r["changes"] for r in mutants.values()) }} possible '
    'changes {{ sum(r["tried"] for r in mutants.values()) }} were '
    "tried, drawn at random, because all would take days."
)
@says("So the changes that were never tried may fare worse.")
def test_a_sample_was_tried() -> None:
    listed = tomllib.loads(text("tools/equivalent.toml"))["equivalent"]
    early = [e for e in listed if "stops early" in e["reason"]]
    assert any("epochs + 2" in entry["now"] for entry in early)
    changes = sum(result["changes"] for result in MUTANTS.values())
    tried = sum(result["tried"] for result in MUTANTS.values())
    assert tried < changes
    assert KEPT['sum(r["tried"] for r in mutants.values())'] == str(tried)
    assert KEPT['sum(r["changes"] for r in mutants.values())'] == str(changes)
    said = " ".join(text("CONTRIBUTING.md").split())
    assert "A change takes about half a minute." in said
    assert changes * 30 / 3600 > 2 * 24
    assert "random.Random(" in text("tools/mutants.py")


# For maintainers


@says("If you look after the site, you can also find each check.")
@says("what snippets do | `tests/snippets/` | `make test`")
@says("what sentences say | `tests/claims/` | `make test`")
@says("the engine, and its faults | `tests/engine/` | `make test`")
@says("drift of what pages show | `tests/expected/` | `make expected`")
@says("the style of pages | `tests/pages/` | `make test`")
@says("copies, links, builds | `tests/site/` | `make test`")
@says("keyboard, contrast, themes | `tests/browser/` | `make test`")
@says("size, speed, valid HTML | `tools/lighthouse/` | `make lighthouse`")
@says("other versions | `tools/versions.py` | `make versions`")
@says("the tests themselves | `tools/mutants.py` | `make mutants`")
@says("builds by other generators | `tests/way_out/` | `make way-out`")
@says(
    "speed of [builds](how_fast_to_build.md) and loops | `tools/bench/` "
    "| `make bench`"
)
@says("known vulnerabilities | the lock files | `make audit`")
@says("workflows | `tests/test_workflows.py` | `make test`")
@says("For maintainers: where each check lives")
def test_each_check_lives_where_the_table_says() -> None:
    [table] = re.findall(r"(?s)\| --- \| --- \| --- \|\n(.*?)\n\n", SOURCE)
    rows = [row.strip("| ").split(" | ") for row in table.splitlines()]
    assert len(rows) == 14
    parts = dict(re.findall(r"(?m)^([a-z-]+):.*\n((?:\t.*\n)+)", MAKE))
    assert re.search(r"-m pytest --cov(?! *tests/)", parts["test"]), "all"
    for _, where, command in rows:
        place = where.strip("`").rstrip("/")
        assert place == "the lock files" or (ROOT / place).exists()
        target = command.strip("`").removeprefix("make ")
        if target == "test":
            assert place.startswith("tests/")
            continue
        name = "requirements.lock"
        if place != "the lock files":
            name = Path(place).stem
        assert re.search(rf"\b{name}\b", parts[target]), command
    assert "tools.expected --write" in parts["expected"]
    assert re.search("test_.*contrast|axe_finds", named_in("tests/browser"))
    assert "by_keyboard" in named_in("tests/browser")
    assert "theme" in named_in("tests/browser")


@says(
    "`make test` compares pages with `tests/expected/`, and `make "
    "expected` writes there what is meant to change."
)
@says(
    "The faults of the engine's surroundings, such as a full disk, a "
    "killed build or readers who come meanwhile, are in "
    "`tests/engine/build/test_surroundings.py`."
)
@says(
    "Other versions and changes of the code are tried every week, known "
    "faults are asked for at every change."
)
def test_when_each_check_is_made() -> None:
    found = text("tests/engine/build/test_surroundings.py")
    for words in (
        "a_disk_that_is_full",
        "a_build_killed",
        "reads_the_site_meanwhile",
    ):
        assert words in found
    for name in ("versions", "mutants"):
        cron = re.findall(r'cron: "\S+ \S+ \* \* \d"', WORKFLOWS[name])
        assert len(cron) == 1, "on one day of each week"
    assert "make audit" in WORKFLOWS["docs"]
    assert re.search(r"(?m)^  (push|pull_request)", WORKFLOWS["docs"])
    assert "outputs_that_are_not_as_kept" in named_in("tests/pages")


@says("[Silent failures](traps.md), each with the check that tells it.")
@says("You need to have read no other page.")
@says("To run this page yourself, save it beside the program.")
def test_the_pages_to_go_to() -> None:
    traps = (DOCS / "traps.md").read_text("utf-8")
    assert "\n# Silent failures: a training loop that" in traps
    assert traps.count("**The check") == 17
    files = re.findall(
        r'Path\("(\S+?)"\)', "".join(b.code for b in PAGE.blocks)
    )
    shown = re.findall(r'source="snippets/results/(\S+)"', SOURCE)
    assert sorted(shown) == sorted(files)
    assert "You need the" not in SOURCE
