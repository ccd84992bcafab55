"""An author runs one page, or has all of them checked without running."""

import os
import subprocess
import sys

from tests.engine.scratch import PAGE, Scratch


def test_run_prints_what_a_page_prints(scratch: Scratch) -> None:
    code, words = scratch.engine("run", "docs/index.md")
    assert code == 0
    assert words == (
        "── snippets/count.py:setup (docs/index.md:3)\n"
        "── snippets/count.py:count (docs/index.md:8)\n"
        "number 0\nnumber 1\n"
    )
    assert not (scratch.root / ".cache/records").exists()


def test_run_shows_figures_and_announced_errors(scratch: Scratch) -> None:
    scratch.replace(
        "snippets/count.py",
        'print("number", number)',
        "import matplotlib.pyplot as p; p.plot([1]); p.show(); 1 / number",
    )
    scratch.replace(
        "docs/index.md",
        'py:count"',
        'py:count" raises="ZeroDivisionError" alt="A dot"',
    )
    code, words = scratch.engine("run", "index")
    assert code == 0
    assert "ZeroDivisionError: division by zero\n[a figure]\n" in words


def test_run_says_what_a_build_would_say(scratch: Scratch) -> None:
    scratch.replace("docs/index.md", 'py:count"', 'py:count" alt="A dot"')
    code, words = scratch.engine("run", "index")
    assert code == 1
    assert "number 1\n" in words
    assert "docs/index.md:8: snippets/count.py:10: " in words
    assert "draws no figure but the fence has alt=" in words


def test_run_takes_a_draft_whose_sections_no_other_page_shows(
    scratch: Scratch,
) -> None:
    scratch.write("docs/new/draft.md", PAGE)
    scratch.write("docs/index.md", "# Home\n\nWords.\n")
    scratch.replace("mkdocs.yml", "plugins", "exclude_docs: new/\nplugins")
    code, words = scratch.engine("run", "new/draft")
    assert code == 0
    assert "number 1" in words


def test_run_of_an_unknown_page_names_those_there_are(
    scratch: Scratch,
) -> None:
    code, words = scratch.engine("run", "nowhere")
    assert code == 1
    assert words == 'no page "nowhere"\n  mend: use one of: index\n'


def test_check_reads_everything_and_runs_nothing(scratch: Scratch) -> None:
    code, words = scratch.engine("check")
    assert code == 0
    assert words == "1 pages, 2 blocks: all can be read\n"
    assert not (scratch.root / "site").exists()


def test_check_names_all_that_is_wrong_at_once(scratch: Scratch) -> None:
    scratch.write("docs/other.md", "# Other\n\n[on](indx.md)\n")
    scratch.replace("docs/index.md", "py:count", "py:cuont")
    code, words = scratch.engine("check")
    assert code == 1
    assert "docs/index.md:8: no section" in words
    assert "docs/other.md:3: contains a link 'indx.md'" in words
    assert 'write "index.md"?' in words
    assert words.count("  mend: ") == 2


def test_a_site_has_checks_of_its_own(scratch: Scratch) -> None:
    scratch.write(
        "rules.py",
        """\
        from engine.errors import PageError


        def titles(project, pages):
            for page in pages:
                yield PageError(
                    f"has the title {page.title}",
                    hint="find another",
                    path=project.docs / page.src_uri,
                )
        """,
    )
    settings = 'extension:\n      checks: ["rules:titles"]\n'
    scratch.replace("mkdocs.yml", "extension\n", settings)
    code, words = scratch.engine("check")
    assert code == 1
    assert words == (
        "docs/index.md: has the title Counting\n  mend: find another\n"
    )


def test_a_folder_without_a_configuration_is_a_fault(empty: Scratch) -> None:
    (empty.root / "mkdocs.yml").unlink()
    for command in ("build", "check"):
        code, words = empty.engine(command)
        assert code == 1
        assert words == (
            "mkdocs.yml: there is no such file\n  mend: write one; "
            "it is to have this name, and to be in the folder that --root "
            "names\n"
        )


def test_a_terminal_that_cannot_show_all_is_told_what_it_can(
    scratch: Scratch,
) -> None:
    command = [sys.executable, "-m", "engine", "--root", str(scratch.root)]
    done = subprocess.run(
        [*command, "run", "index"],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=True,
    )
    assert b"number 1" in done.stdout
    assert b"Traceback" not in done.stderr
