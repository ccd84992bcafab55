"""The site is served while it is written, notebooks when they are read."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.build.preview import LateNotebooks, Preview
from engine.keep.files import BuildLock
from tests.engine.scratch import Scratch
from tests.waiting import wait_until

ENGINE = [sys.executable, "-m", "engine", "--root"]
GUIDE = "notebooks/guide.ipynb"
VIEW = "notebooks/count/index.html"


@contextlib.contextmanager
def serving(project: Scratch) -> Iterator[tuple[str, list[str]]]:
    """Serve the project; give the address and the lines that are said."""
    server = subprocess.Popen(
        [*ENGINE, str(project.root), "serve", "--port", "8400"],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert server.stderr is not None
    lines: list[str] = []
    stream = server.stderr
    reader = threading.Thread(target=lambda: lines.extend(stream))
    reader.start()
    try:
        yield address(server, lines), lines
    finally:
        os.killpg(server.pid, signal.SIGINT)
        server.wait(timeout=30)
        reader.join(timeout=30)
    assert server.returncode == 0
    assert "Traceback" not in "".join(lines)


def test_an_edit_is_shown_and_a_fault_is_survived(built: Scratch) -> None:
    with serving(built) as (url, lines):
        assert "number 1" in wait_for(url, "We count.")
        built.replace("docs/index.md", "We count.", "We count up.")
        wait_for(url, "We count up.")
        built.replace("docs/index.md", "py:count", "py:cuont")
        wait_until(lambda: any('no section "cuont"' in x for x in lines))
        assert "We count up." in wait_for(url, "The build failed")
        built.replace("docs/index.md", "py:cuont", "py:count")
        built.replace("docs/index.md", "We count up.", "We count again.")
        wait_for(url, "We count again.")
        built.replace("snippets/count.py", "2.5", "3.5")
        wait_for(url, "number 2")


def test_two_servers_of_one_folder_leave_each_other_alone(
    built: Scratch,
) -> None:
    with serving(built) as (one, _):
        wait_for(one, "We count.")
        built.replace("docs/index.md", "py:count", "py:cuont")
        wait_for(one, "The build failed")
        with serving(built) as (two, lines):
            wait_until(lambda: any('no section "cuont"' in x for x in lines))
            assert "We count." in wait_for(one, "The build failed")
            built.replace("docs/index.md", "py:cuont", "py:count")
            built.replace("docs/index.md", "We count.", "We count up.")
            for url in (one, two):
                wait_for(url, "We count up.")


def test_a_server_waits_for_a_build_that_runs(built: Scratch) -> None:
    with contextlib.ExitStack() as stack:
        with BuildLock(built.root / ".cache").held():
            url, lines = stack.enter_context(serving(built))
            wait_until(lambda: any("is running in this" in x for x in lines))
        wait_for(url, "We count.")


def test_a_notebook_follows_an_edit_when_somebody_looks(
    scratch: Scratch,
) -> None:
    scratch.add_hooks()
    with serving(scratch) as (url, lines):
        wait_for(f"{url}count/", "We count.")
        scratch.replace("docs/count.md", "We count.", "We count up.")
        wait_for(f"{url}count/", "We count up.")
        wait_until(lambda: reloads(lines) == 2)
        notebook = f"{url}notebooks/count/"
        with urllib.request.urlopen(notebook, timeout=10) as first:
            assert "We count." in first.read().decode()
        wait_for(notebook, "We count up.")
        wait_until(lambda: reloads(lines) == 3)


HOOK = """\
def on_page_markdown(markdown, **_):
    return markdown + "\\n\\n{}\\n"
"""


def test_hooks_are_read_anew_and_files_that_come_back_are_watched(
    scratch: Scratch,
) -> None:
    scratch.write("hook.py", HOOK.format("Hooked."))
    config = scratch.root / "mkdocs.yml"
    config.write_text(config.read_text() + "hooks: [hook.py]\n")
    with serving(scratch) as (url, _):
        wait_for(url, "Hooked.")
        scratch.write("hook.py", HOOK.format("Hooked again."))
        wait_for(url, "Hooked again.")
        away = config.rename(scratch.root / "away.yml")
        wait_for(url, "mkdocs.yml: there is no such file")
        away.write_text(away.read_text().replace("Scratch", "Other name"))
        away.rename(config)
        wait_until(lambda: "failed" not in wait_for(url, "Other name"))
        docs = scratch.root / "docs"
        away = docs.rename(scratch.root / "elsewhere")
        wait_for(url, "docs_dir")
        away.rename(docs)
        wait_until(lambda: "failed" not in wait_for(url, "Counting"))
        scratch.replace("docs/index.md", "We count.", "We count on.")
        wait_for(url, "We count on.")


def test_what_a_build_reads_elsewhere_is_followed(scratch: Scratch) -> None:
    config = (scratch.root / "mkdocs.yml").read_text("utf-8")
    config = config.replace(
        "  - engine", "  - pymdownx.snippets: {base_path: [.]}\n  - engine"
    ).replace("plugins", "hooks: [hook.py]\nplugins")
    scratch.write("shared/base.yml", config)
    scratch.write("mkdocs.yml", "INHERIT: shared/base.yml\n")
    scratch.write("shared/words.txt", "Some words.\n")
    scratch.write("shared/speed.json", "[111]\n")
    scratch.write(
        "hook.py",
        """\
        def on_pre_build(config):
            open("shared/made.txt", "w").write("Made.")

        def on_page_markdown(markdown, **_):
            return markdown + open("shared/made.txt").read()
        """,
    )
    scratch.replace(
        "docs/index.md",
        "We count.",
        '--8<-- "shared/words.txt"\n\n```json source="shared/speed.json" '
        'file="speed.json"\n```\n',
    )
    time.sleep(1)  # else they might have changed while they were read
    with (
        contextlib.chdir(scratch.root),
        serving(scratch) as (url, lines),
    ):
        assert "Made." in wait_for(url, "Some words.")
        time.sleep(2)
        assert reloads(lines) == 1
        scratch.write("shared/words.txt", "Other words.\n")
        wait_for(url, "Other words.")
        scratch.write("shared/speed.json", "[222]\n")
        wait_for(url, "222")
        scratch.replace("shared/base.yml", "Scratch", "New name")
        wait_for(url, "New name")
        wait_until(lambda: reloads(lines) == 4)
        scratch.replace("shared/base.yml", "plugins:", "plugnis:")
        wait_for(url, "plugnis")
        scratch.replace("shared/base.yml", "plugnis:", "plugins:")
        wait_until(lambda: reloads(lines) == 5)


def reloads(lines: list[str]) -> int:
    """Return how often browsers were told to load their page again."""
    return sum("Reloading browsers" in line for line in lines)


def address(server: subprocess.Popen[str], lines: list[str]) -> str:
    """Return the address that the server names when it is ready."""

    def named() -> list[str]:
        assert server.poll() is None, lines
        return [x.split()[-1] for x in lines if "Serving on" in x]

    wait_until(lambda: bool(named()))
    return named()[0]


def wait_for(url: str, text: str) -> str:
    """Return the page once it holds the text."""
    page = ""

    def holds() -> bool:
        nonlocal page
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                page = answer.read().decode()
        except (urllib.error.URLError, TimeoutError):
            return False
        return text in page

    wait_until(holds)
    return page


@pytest.fixture
def notebooks(tmp_path: Path) -> LateNotebooks:
    """Two notebooks as they are shown."""
    found = LateNotebooks(tmp_path / "asked")
    assert found.held(GUIDE, "guide") == "guide"
    assert found.held("notebooks/traps.ipynb", "traps") == "traps"
    return found


def test_a_notebook_stays_until_somebody_looks_at_it(
    notebooks: LateNotebooks,
) -> None:
    assert notebooks.held(GUIDE, "guide 2") == "guide"
    assert not notebooks.asked.exists()
    notebooks.look_at("/notebooks/guide/")
    assert notebooks.asked.exists()
    assert notebooks.held(GUIDE, "guide 2") == "guide 2"
    assert notebooks.held(GUIDE, "guide 3") == "guide 2"
    assert notebooks.held("notebooks/traps.ipynb", "traps") == "traps"


@pytest.mark.parametrize(
    ("uri", "asked"),
    [
        (GUIDE, "/repo/notebooks/guide.html"),
        ("notebooks/été/a b.ipynb", "/notebooks/%C3%A9t%C3%A9/a%20b/"),
        ("notebooks/été/a b.ipynb", "/notebooks/été/a b/"),
    ],
)
def test_a_notebook_is_asked_for_once(
    notebooks: LateNotebooks, uri: str, asked: str
) -> None:
    notebooks.held(uri, "one")
    notebooks.held(uri, "two")
    notebooks.look_at(asked)
    notebooks.asked.unlink()
    notebooks.look_at(asked)
    assert not notebooks.asked.exists()
    assert notebooks.held(uri, "two") == "two"


@pytest.mark.parametrize("address", ["/notebooks/traps/", "/guide/", "/", ""])
def test_other_addresses_ask_for_nothing(
    notebooks: LateNotebooks, address: str
) -> None:
    notebooks.held(GUIDE, "guide 2")
    notebooks.look_at(address)
    assert not notebooks.asked.exists()
    assert notebooks.held(GUIDE, "guide 2") == "guide"


def test_an_edit_that_was_undone_is_not_late(
    notebooks: LateNotebooks,
) -> None:
    assert notebooks.held(GUIDE, "guide 2") == "guide"
    assert notebooks.held(GUIDE, "guide") == "guide"
    notebooks.look_at("/notebooks/guide/")
    assert not notebooks.asked.exists()


def test_a_view_that_is_served_changes_when_it_was_looked_at(
    scratch: Scratch, preview: Preview, tmp_path: Path
) -> None:
    preview.build(tmp_path / "one")
    before = (tmp_path / "one" / VIEW).read_text()
    assert "We count." in before
    scratch.replace("docs/count.md", "We count.", "We count up.")
    preview.build(tmp_path / "two")
    assert (tmp_path / "two" / VIEW).read_text() == before
    page = (tmp_path / "two/count/index.html").read_text()
    assert "We count up." in page
    preview.notebooks.look_at("/notebooks/count/")
    preview.build(tmp_path / "three")
    assert "We count up." in (tmp_path / "three" / VIEW).read_text()


def test_a_view_that_is_late_may_lead_to_where_a_page_was(
    scratch: Scratch, preview: Preview, tmp_path: Path
) -> None:
    page = scratch.write("docs/old.md", "# Other\n")
    scratch.replace("docs/count.md", "We count.", "We [count](old.md).")
    preview.build(tmp_path / "one")
    page.rename(page.with_name("new.md"))
    scratch.replace("docs/count.md", "(old.md)", "(new.md)")
    preview.build(tmp_path / "two")
    assert "old/" in (tmp_path / "two" / VIEW).read_text()
    preview.notebooks.look_at("/notebooks/count/")
    preview.build(tmp_path / "three")
    assert "old/" not in (tmp_path / "three" / VIEW).read_text()


def test_a_preview_keeps_its_workers_until_settings_change(
    scratch: Scratch, preview: Preview, tmp_path: Path
) -> None:
    preview.build(tmp_path / "one")
    project = preview.project
    assert project
    preview.build(tmp_path / "two")
    assert preview.project is project
    settings = "extension:\n      preload: [json]\n"
    scratch.replace("mkdocs.yml", "extension\n", settings)
    preview.build(tmp_path / "three")
    assert preview.project
    assert preview.project is not project


def test_all_that_a_build_reads_is_looked_at(
    scratch: Scratch, preview: Preview, tmp_path: Path
) -> None:
    scratch.write("theme/main.html", '{% extends "base.html" %}')
    scratch.write("tools/rules.py", "x = 1\n")
    theme = "  name: material\n  custom_dir: theme\n"
    scratch.replace("mkdocs.yml", "  name: material\n", theme)
    scratch.replace("mkdocs.yml", "hooks:", "watch: [tools]\nhooks:")
    (scratch.root / "snippets").rename(scratch.root / "code")
    scratch.replace("docs/count.md", "snippets/", "code/")
    settings = "extension:\n      snippets: code\n"
    scratch.replace("mkdocs.yml", "extension\n", settings)
    preview.build(tmp_path / "one")
    names = ("docs", "theme", "tools", "code", "mkdocs.yml")
    paths = {scratch.root / name for name in names}
    assert {*preview.watched} == paths | {preview.notebooks.asked}
