"""The command line builds, and leaves the site as it was if it fails."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment
from nbconvert.exporters import templateexporter

from tests.engine.scratch import Scratch
from tests.waiting import wait_for_ends, wait_until

ENGINE = [sys.executable, "-m", "engine", "--root"]


def test_a_build_makes_the_site(built: Scratch) -> None:
    html = (built.root / "site/index.html").read_text()
    assert "number 1" in html
    assert "There were 2 numbers." in html


def test_a_build_replaces_the_site_as_a_whole(built: Scratch) -> None:
    left = built.root / "site/left-over.html"
    left.write_text("old")
    assert built.build()[0] == 0
    assert not left.exists()
    assert (built.root / "site/index.html").exists()
    kept = {path.name for path in (built.root / ".cache").iterdir()}
    assert {"lock", "records"} <= kept
    assert not {"site", "site-before"} & kept


def test_a_build_says_which_page_it_runs_and_how_long_it_took(
    scratch: Scratch,
) -> None:
    code, words = scratch.engine("build", "--site", "elsewhere")
    assert code == 0
    running, ran, built = words.splitlines()
    assert running == "Running docs/index.md …"
    assert ran.startswith("docs/index.md: 2 blocks, ")
    assert built == f"Built {scratch.root}/elsewhere/"
    assert (scratch.root / "elsewhere/index.html").exists()


def test_a_site_stands_where_the_settings_and_links_say(
    built: Scratch, tmp_path: Path
) -> None:
    built.replace("mkdocs.yml", "site_name", "site_dir: public\nsite_name")
    published = tmp_path / "published"
    (built.root / "site").rename(published)
    (built.root / "public").symlink_to(published)
    (published / "index.html").write_text("old")
    code, words = built.build()
    assert (code, words) == (0, f"Built {published}/\n")
    assert "number 1" in (built.root / "public/index.html").read_text()
    assert not (built.root / "site").exists()


@pytest.mark.parametrize(
    "site", ["docs", "snippets", ".cache", "docs/site", ".", "..", "own", "a"]
)
def test_a_site_takes_the_place_of_nothing_else(
    built: Scratch, site: str
) -> None:
    built.write("own/notes.txt", "mine")
    built.write("a", "a file")
    before = built.digest(".")
    code, words = built.engine("build", "--site", site)
    assert code == 1
    assert "would take the place of files that no build has made" in words
    assert words.count("mend:") == 1
    assert built.digest(".") == before


@pytest.mark.parametrize(
    "options", [("build", "--jobs", "-1"), ("serve", "--port", "-5")]
)
def test_a_number_that_cannot_be_is_named(
    scratch: Scratch,
    capsys: pytest.CaptureFixture[str],
    options: tuple[str, str, str],
) -> None:
    with pytest.raises(SystemExit):
        scratch.engine(*options)
    said = capsys.readouterr().err
    assert f"argument {options[1]}: invalid number value: " in said


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_build_needs_no_streams(scratch: Scratch, closed: str) -> None:
    subprocess.run(
        ["sh", "-c", f'exec "$@" {closed}', "sh", *build_of(scratch)],
        check=True,
    )
    assert (scratch.root / "site/index.html").exists()


def test_whoever_prints_may_be_left(built: Scratch) -> None:
    run = subprocess.Popen(
        [*build_of(built)[:-1], "run", "index"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert run.stdout
    run.stdout.close()
    assert run.stderr
    assert run.stderr.read() == b""
    assert run.wait(60) == 1


def test_a_command_may_be_interrupted_while_it_is_imported(
    scratch: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch.write("mkdocs.py", "raise KeyboardInterrupt\n")
    paths = [str(scratch.root), os.environ["PYTHONPATH"]]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    ended = subprocess.run(
        build_of(scratch), capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert ended.stderr == "Interrupted; nothing was changed.\n"


def build_of(site: Scratch) -> list[str]:
    return [*ENGINE, str(site.root), "build"]


def test_pages_run_again_if_that_is_wanted(built: Scratch) -> None:
    code, words = built.engine("build", "--force", "--jobs", "1")
    assert code == 0
    assert "Running docs/index.md" in words


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_build_leaves_no_child_and_loses_nothing(
    built: Scratch, tmp_path: Path, number: signal.Signals
) -> None:
    sign = tmp_path / "pid"
    built.replace(
        "snippets/count.py",
        "math.floor(2.5)",
        "2; import os, time; "
        f"open({str(sign)!r}, 'w').write(str(os.getpid())); time.sleep(600)",
    )
    before = built.digest()
    build = subprocess.Popen(
        [*ENGINE, str(built.root), "build"],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    wait_until(lambda: sign.exists() and sign.read_text())
    os.killpg(build.pid, number)
    _, words = build.communicate(timeout=60)
    assert build.returncode == 1
    assert words.endswith("Interrupted; nothing was changed.\n")
    assert "Traceback" not in words
    wait_for_ends(int(sign.read_text()))
    assert built.digest() == before


def test_two_builds_at_once_are_one_build_and_one_message(
    built: Scratch,
) -> None:
    built.replace(
        "snippets/count.py",
        "math.floor(2.5)",
        "2; import time; time.sleep(2)",
    )
    builds = [
        subprocess.Popen(
            [*ENGINE, str(built.root), "build"],
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    words = [build.communicate(timeout=60)[1] for build in builds]
    codes = [build.returncode for build in builds]
    assert sorted(codes) == [0, 1], words
    assert "another build is running" in words[codes.index(1)]
    assert (built.root / "site/index.html").exists()


def test_templates_of_notebooks_are_compiled_once(
    scratch: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch.add_hooks()
    code, words = scratch.build()
    assert code == 0, words
    compiled: list[str] = []
    compile_one = Environment.compile

    def noting(self: Environment, source: Any, name: str, file: str) -> Any:
        compiled.append(name)
        return compile_one(self, source, name, file)

    monkeypatch.setattr(Environment, "compile", noting)
    scratch.replace("docs/count.md", "We count.", "We count on.")
    code, words = scratch.build()
    assert code == 0, words
    assert not [name for name in compiled if name.endswith(".j2")]
    assert vars(templateexporter)["Environment"] is Environment
