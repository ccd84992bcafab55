"""An author runs one page, or has all of them checked without running."""

import os
import subprocess
import sys

import pytest

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


@pytest.mark.parametrize(
    "name",
    ["deep/one", "one", "one.md", "deep/one.md", "docs/deep/one.md", "two"],
)
def test_run_takes_a_page_by_whatever_names_it_alone(
    scratch: Scratch, name: str
) -> None:
    for path in ("deep/one.md", "deep/two.markdown"):
        scratch.write(f"docs/{path}", PAGE)
    code, words = scratch.engine("run", name)
    assert code == 0, words
    file = "two.markdown" if name == "two" else "one.md"
    assert f"(docs/deep/{file}:8)" in words


def test_run_takes_a_page_by_its_path_from_where_an_author_is(
    scratch: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in ("one/page.md", "two/page.md"):
        scratch.write(f"docs/{path}", PAGE)
    assert scratch.engine("run", "page") == (
        1,
        'no page "page"\n  mend: write "two/page"? use one of: one/page, '
        "two/page\n",
    )
    monkeypatch.chdir(scratch.root / "docs/two")
    for name in ("page.md", str(scratch.root / "docs/two/page.md")):
        code, words = scratch.engine("run", name)
        assert code == 0, words
        assert "(docs/two/page.md:8)" in words


def test_run_of_an_empty_page_says_nothing(scratch: Scratch) -> None:
    scratch.write("docs/index.md", "")
    assert scratch.engine("run", "index") == (0, "")


def test_run_reads_a_page_as_a_build_does(scratch: Scratch) -> None:
    scratch.write(
        "hook.py",
        """\
        def on_page_markdown(markdown, page, **_):
            return markdown.replace("Here", "```python run=")
        """,
    )
    scratch.replace("docs/index.md", "```python run=", "Here")
    scratch.write("docs/some.txt", "Some *words*.\n")
    scratch.replace("docs/index.md", "We count.", '--8<-- "some.txt"')
    scratch.replace(
        "mkdocs.yml",
        "  - engine",
        "  - pymdownx.snippets:\n      check_paths: true\n"
        "      base_path: [!relative ]\n  - engine",
    )
    scratch.replace("mkdocs.yml", "plugins", "hooks: [hook.py]\nplugins")
    code, words = scratch.engine("run", "index")
    assert code == 0, words
    assert "number 1" in words
    scratch.replace("docs/index.md", "some.txt", "none.txt")
    run, build = scratch.engine("run", "index"), scratch.build()
    assert run == build
    assert run[0] == 1
    assert "docs/index.md: pymdownx.snippets raised SnippetMissing" in run[1]


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
