"""What other plugins do beside the pages, and where they put pages."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.engine.kinds import forms
from tests.engine.kinds.pages import SAID, page
from tests.engine.kinds.site import Site
from tests.engine.scratch import REPOSITORY

FRONT = "---\ndate: 2026-01-02\n---\n"
POST = """\
%1
x is {{ x }}.

<!-- more -->

%2
"""


def test_a_blog_shows_the_results_of_its_posts_in_their_excerpts(
    sections: Site,
) -> None:
    sections.add_plugin("blog")
    sections.page("blog/index", "# Blog\n")
    sections.page("blog/posts/first", FRONT + page("Post", POST))
    sections.page("p", page("P", "%3\n"))
    built = sections.good()
    whole = forms.page(built, "blog/2026/01/02/post/")
    assert [said for _, said in whole.blocks] == [SAID["one"], SAID["two"]]
    for view in ("blog/", "blog/archive/2026/"):
        excerpt = forms.page(built, view)
        assert excerpt.blocks == whole.blocks[:1]
        assert "xis5." in excerpt.text


RENDERS = """
from markdown import Markdown

CODE = '```python run="snippets/a.py:one"\\n```\\n\\nIt is {{ x }}.\\n'

def on_page_markdown(markdown, config, **_):
    md = Markdown(
        extensions=config.markdown_extensions,
        extension_configs=config.mdx_configs,
    )
    return markdown.replace("INNER", WHAT)
"""


def test_what_is_rendered_apart_from_a_page_is_not_of_its_program(
    sections: Site,
) -> None:
    sections.add_hook(RENDERS.replace("WHAT", "md.convert(CODE)[:0]"))
    sections.page("p", page("P", "%2\n\nINNER\n\n%3\n"))
    sections.page("q", page("Q", "%1\n"))
    sections.good()
    sections.alike("p", SAID["two"], SAID["three"])


def test_what_is_rendered_apart_is_shown_on_no_page(sections: Site) -> None:
    sections.add_hook(RENDERS.replace("WHAT", "md.convert(CODE)"))
    sections.page("p", page("P", "%2\n\nINNER\n\n%3\n"))
    sections.page("q", page("Q", "%1\n"))
    assert (
        sections.bad().count("docs/p.md: a plugin or hook shows blocks") == 1
    )


def test_no_page_shows_another_before_its_results(sections: Site) -> None:
    sections.add_hook(
        """
        from mkdocs.plugins import event_priority

        @event_priority(101)
        def on_env(env, config, files):
            p, q = (files.get_file_from_path(f).page for f in ("p.md", "q.md"))
            p.content += q.content
        """,
    )
    sections.page("p", page("P", "%1\n"))
    sections.page("q", page("Q", "%2\n%3\n"))
    words = sections.bad()
    assert "docs/p.md: a plugin or hook shows blocks or values on" in words


KEEPS = """
pages = []

def on_page_content(html, **_):
    pages.append(html)

def on_post_build(config, **_):
    text = f"<title>All</title><article>{' '.join(pages)}</article>"
    for name in ("all", "more"):
        with open(f"{config.site_dir}/{name}.NAME", "w") as file:
            file.write(text)
"""


def test_a_page_that_is_made_of_others_gets_their_results(
    sections: Site,
) -> None:
    sections.add_hook(KEEPS.replace("NAME", "html"))
    sections.page("p", page("P", "%1\nx is {{ x }}.\n"))
    sections.page("q", page("Q", "%2\n%3\n"))
    site = sections.good()
    for name in ("all", "more"):
        everything = forms.page(site, f"{name}.html")
        assert [said for _, said in everything.blocks] == [*SAID.values()]
        assert "xis5." in everything.text


def test_a_file_of_another_kind_that_is_made_of_pages_is_a_fault(
    sections: Site,
) -> None:
    sections.add_hook(KEEPS.replace("NAME", "txt"))
    sections.page("p", page("P", "%1\n%2\n%3\n"))
    words = sections.bad()
    for name in ("all", "more"):
        assert f"writes pages to {name}.txt as they were before" in words


LANGUAGES = """
from mkdocs.commands import build
from mkdocs.plugins import event_priority
from mkdocs.utils import get_relative_url

within = False

def on_files(files, config):
    for file in files.documentation_pages() if within else ():
        file.dest_uri = f"de/{file.dest_uri}"
        file.__dict__.pop("url", None)
        file.url = f"de/{file.url}".replace("./", "")

def on_page_markdown(markdown, page, **_):
    other = "p/" if within else "de/p/"
    here = page.file.url
    return f'{markdown}\\n<a href="{get_relative_url(other, here)}">x</a>\\n'

@event_priority(-100)
def on_post_build(config):
    global within
    if not within:
        within = True
        clean = build.utils.clean_directory
        build.utils.clean_directory = print
        build.build(config)
        build.utils.clean_directory = clean
"""


def test_a_build_within_a_build_as_for_each_language(sections: Site) -> None:
    sections.add_hook(LANGUAGES)
    text = (sections.root / "mkdocs.yml").read_text()
    start, end = text.index("  - mkdocs-jupyter"), text.index("markdown_ext")
    sections.write("mkdocs.yml", text[:start] + text[end:])
    sections.page("p", page("P", "%1\n%2\n%3\n"))
    built = sections.good()
    for folder in ("", "de/"):
        shown = forms.page(built, f"{folder}p/")
        assert [said for _, said in shown.blocks] == [*SAID.values()]
        assert (built / f"{folder}p.py").exists()
        assert (built / f"{folder}p/index.md").exists()
    assert "(p/index.md)" in (built / "llms.txt").read_text()


def test_a_page_that_a_plugin_writes_has_all_forms(sections: Site) -> None:
    text = page("P", "%1\n%2\n%3\n")
    sections.add_hook(
        f"""
        from mkdocs.structure.files import File

        def on_files(files, config):
            files.append(File.generated(config, "p.md", content={text!r}))
        """,
    )
    sections.good()
    sections.alike("p", *SAID.values())


def test_a_view_is_no_file_of_the_authors(sections: Site) -> None:
    """Others look for who has written a page last, or where to edit it."""
    sections.add_hook(
        """
        import logging

        def on_page_markdown(markdown, page, **_):
            if page.edit_url or not page.file.generated_by:
                if "docs/" not in page.file.abs_src_path:
                    log = logging.getLogger("mkdocs.plugins.x")
                    log.warning(f"{page.file.abs_src_path} has no history")
        """,
    )
    sections.replace(
        "mkdocs.yml", "site_name", "repo_url: https://e.org/a/b\nsite_name"
    )
    sections.page("p", page("P", "%1\n%2\n%3\n"))
    sections.good()


def test_plugins_are_started_and_shut_down_as_by_mkdocs(
    sections: Site,
) -> None:
    sections.add_hook(
        """
        said = []

        def on_startup(command, dirty):
            said.append((command, dirty))

        def on_config(config):
            said.append("config")

        def on_shutdown():
            with open("said.txt", "w") as file:
                print(said, file=file)
        """,
    )
    sections.page("p", page("P", "%1\n%2\n%3\n"))
    sections.good()
    said = Path("said.txt").read_text()
    assert said == "[('build', False), 'config']\n"


def test_plugins_that_were_shut_down_are_not_used_again(
    sections: Site,
) -> None:
    """The blog has a folder of its own until then."""
    sections.add_plugin("blog")
    sections.page("blog/index", "# Blog\n")
    draft = FRONT.replace("date", "draft: true\ndate")
    sections.page("blog/posts/first", draft + page("Post", POST))
    sections.page("p", page("P", "%1\n%2\n%3\n"))
    for _ in range(2):
        sections.good()


def test_plugins_may_copy_what_pages_say_of_themselves(
    sections: Site,
) -> None:
    sections.add_hook(
        """
        from copy import deepcopy

        def on_page_context(context, page, **_):
            page.meta = deepcopy(page.meta)
        """,
    )
    sections.page("p", page("P", "%1\n%2\n%3\n"))
    sections.good()
    sections.alike("p", *SAID.values())


def test_what_follows_from_a_warning_is_not_told(sections: Site) -> None:
    """As of a plugin that takes a value for its own, and shows that."""
    sections.add_hook(
        """
        import logging

        def on_page_markdown(markdown, page, **_):
            if page.url == "q/p/":
                text = "[x] ERROR\\nIn `q/p.md`:\\n```\\nTraceback "
                text += "(most recent call last):\\n  File x\\n    f()\\n"
                text += "NameError: x\\n```\\n  It is {{ x:.1f }}."
                logging.getLogger("mkdocs.plugins.x").warning(text)
                return "# Error"
        """,
    )
    value = "%1\n%2\n%3\n\nIt is {{ x:.1f }}.\n"
    sections.page("q/p", page("P", value))
    sections.page("p", "# P\n\nText.\n")
    words = sections.bad()
    text = (sections.root / "docs/q/p.md").read_text()
    line = text.partition("It is")[0].count("\n") + 1
    assert words.startswith(f"docs/q/p.md:{line}: [x] ERROR\n"), words
    assert words.count("mend:") == 1
    assert "```\nNameError: x\n```" in words
    assert sections.engine("check") == (1, words)


def build_with(site: Site, code: str) -> str:
    """Build with an installed plugin of this code; return what is said."""
    packages = site.root.parent / "packages"
    site.write("../packages/strange.py", code)
    site.write("../packages/strange-1.dist-info/METADATA", "Name: strange\n")
    site.write(
        "../packages/strange-1.dist-info/entry_points.txt",
        "[mkdocs.plugins]\nstrange = strange:Strange\n",
    )
    site.add_plugin("strange")
    # MkDocs looks for plugins once in a process.
    done = subprocess.run(
        [sys.executable, "-m", "engine", "build"],
        cwd=site.root,
        env={**os.environ, "PYTHONPATH": f"{REPOSITORY}:{packages}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    return done.stdout + done.stderr


FAILING = {
    "import": ("import no_such_module\n", "ModuleNotFoundError: No module"),
    "config": (
        "from mkdocs.plugins import BasePlugin\n"
        "class Strange(BasePlugin):\n"
        "    def on_config(self, config):\n"
        "        1 / 0\n",
        "ZeroDivisionError: division by zero",
    ),
    "network": (
        "import socket\n"
        "from mkdocs.plugins import BasePlugin\n"
        "class Strange(BasePlugin):\n"
        "    def on_env(self, env, config, files):\n"
        "        socket.create_connection(('127.0.0.1', 1))\n",
        "ConnectionRefusedError: ",
    ),
    "page": (
        "from mkdocs.plugins import BasePlugin\n"
        "class Strange(BasePlugin):\n"
        "    def on_page_context(self, context, page, config, nav):\n"
        "        page.url == 'p/' and 1 / 0\n",
        "ZeroDivisionError: division by zero",
    ),
    "own": (
        "from mkdocs.exceptions import PluginError\n"
        "from mkdocs.plugins import BasePlugin\n"
        "class Strange(BasePlugin):\n"
        "    def on_post_build(self, config):\n"
        "        raise PluginError('it is not set up')\n",
        "PluginError: it is not set up",
    ),
}


@pytest.mark.parametrize("name", FAILING)
def test_a_plugin_that_fails_is_named(sections: Site, name: str) -> None:
    code, raised = FAILING[name]
    sections.page("p", page("P", "%1\n%2\n%3\n"))
    words = build_with(sections, code)
    place = "docs/p.md" if name == "page" else "mkdocs.yml"
    assert f"{place}: strange raised {raised}" in words
    assert "mend: correct what this names, or leave out what" in words
    assert "Traceback" not in words


def test_a_fence_of_python_is_left_to_no_other_tool(
    sections: Site,
) -> None:
    sections.replace(
        "mkdocs.yml",
        "superfences\n",
        """superfences:
      custom_fences:
        - name: python
          class: theirs
          format: !!python/name:pymdownx.superfences.fence_div_format
""",
    )
    sections.page("p", page("P", "%1\n\n%2\n%3\n\n```python\nx = 1\n```\n"))
    assert "this block shows Python that is never run\n" in sections.bad()
    sections.page("p", page("P", "%1\n\n%2\n%3\n"))
    built = sections.good()
    said = [text for _, text in forms.page(built, "p/").blocks]
    assert [SAID["one"], SAID["two"], SAID["three"]] == said
    assert not forms.rendered(built, "p/").select("div.theirs")
