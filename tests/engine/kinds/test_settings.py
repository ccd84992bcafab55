"""What is wrong around the pages is one message, too, with its place."""

import pytest

from tests.engine.kinds.site import MKDOCS, Site

EXTENSION = "  - engine.extension\n"


def option(line: str) -> str:
    """Return the settings of a site with one option of the extension."""
    return f"markdown_extensions:\n  - engine.extension:\n      {line}\n"


SETTINGS = {
    "no_hook": ("hooks: [no.py]\n", "Config value 'hooks': The path"),
    "no_key": ("site_nmae: x\n", "Unrecognised configuration name: site_nmae"),
    "no_docs": ("docs_dir: nowhere\n", "Config value 'docs_dir': The path"),
    "outside": ("docs_dir: ..\n", "docs_dir: "),
    "no_plugin": ("plugins: [none]\n", 'The "none" plugin is not installed'),
    "no_theme": ("theme: none\n", "Unrecognised theme name: 'none'"),
    "no_option": (
        option("snippet: x"),
        'engine.extension has no option "snippet"\n',
    ),
    "no_list": (
        option("preload: numpy"),
        "engine.extension: preload is not a list\n",
    ),
    "no_words": (
        option("preload: [3]"),
        "engine.extension: preload holds something else than words\n",
    ),
    "no_names": (
        option("stamp: {A: [1]}"),
        "engine.extension: stamp holds something else than words\n",
    ),
    "no_folder": (
        option("snippets: /tmp"),
        "engine.extension: snippets is no folder within this one\n",
    ),
    "no_engine": (
        "markdown_extensions: [admonition]\n",
        "engine.extension is not listed, so no page would run\n",
    ),
    "no_superfences": (
        "markdown_extensions:\n  - pymdownx.superfences\n  - extra\n"
        f"{EXTENSION}",
        "another extension takes the fences that pymdownx.superfences",
    ),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_that_is_wrong_is_named(site: Site, name: str) -> None:
    added, problem = SETTINGS[name]
    key = added.partition(":")[0]
    kept = MKDOCS.partition(f"\n{key}:")[0] + "\n"
    site.write("mkdocs.yml", f"{kept}{added}")
    for command in ("build", "check"):
        code, words = site.engine(command)
        assert code == 1, words
        assert words.startswith("mkdocs.yml:"), words
        assert problem in words
        assert "Traceback" not in words
        assert "  File " not in words
        assert words.count("mend: correct it\n") <= 1


INHERITED = {
    "key": ("site_nmae: x", "Config value 'site_nmae'"),
    "value": ("use_directory_urls: x", "Config value 'use_directory_urls'"),
    "form": ("extra: [", "MkDocs encountered an error parsing"),
    "nav": ("nav: [index.md, nowhere.md]", "A reference to 'nowhere.md'"),
    "name": ('nav: [{"{{ x }}": index.md}]', "a value cannot stand in a"),
    "language": (
        "extra: {alternate: [{name: E, link: /en/, lang: en}]}",
        'the link "/en/" leads to',
    ),
    "link": ("extra_javascript: [none.js]", 'the link "none.js" leads to'),
}


@pytest.mark.parametrize("name", INHERITED)
def test_what_is_inherited_is_named_where_it_stands(
    site: Site, name: str
) -> None:
    added, problem = INHERITED[name]
    site.write("shared/base.yml", f"{MKDOCS}{added}\n")
    site.write("shared/more.yml", "INHERIT: 'base.yml'  # the rest\n")
    site.write("mkdocs.yml", "site_name: Own\nINHERIT: shared/more.yml\n")
    line = MKDOCS.count("\n") + 1 + (name == "form")
    words = site.bad()
    assert words.startswith(f"shared/base.yml:{line}: {problem}"), words
    assert words.count("mend:") == 1


@pytest.mark.parametrize("text", ["site_author: Grü\n", "INHERIT: x\nü: 1\n"])
def test_settings_that_are_no_text_are_named(site: Site, text: str) -> None:
    with (site.root / "mkdocs.yml").open("a", encoding="latin-1") as file:
        file.write(text)
    words = site.bad()
    assert words.startswith("mkdocs.yml: MkDocs encountered an error")
    assert words.count("mend:") == 1


def test_pages_in_another_folder_are_a_fault(site: Site) -> None:
    site.write("../elsewhere/index.md", "# X\n")
    site.replace(
        "mkdocs.yml", "site_name", "docs_dir: ../elsewhere\nsite_name"
    )
    words = site.bad()
    assert words.startswith("mkdocs.yml: docs_dir: ")
    assert "elsewhere is not in this folder\n  mend: move the pages" in words


def test_what_a_plugin_warns_of_ends_the_build(site: Site) -> None:
    warns = "logging.getLogger('mkdocs.plugins.x').warning('odd')"
    site.add_hook(f"import logging\n\ndef on_env(*_, **__):\n    {warns}\n")
    assert site.bad() == (
        "mkdocs.yml: odd\n  mend: correct what this names, or set what warns "
        "of it not to\n"
    )


def test_a_setting_that_a_plugin_warns_of_is_named(site: Site) -> None:
    site.replace("mkdocs.yml", "site_name", "extra: {to: q.md}\nsite_name")
    warns = "warning(\"Target 'q.md' of 'x' is not there\")"
    log = "import logging\nlog = logging.getLogger('mkdocs.plugins.x')\n"
    site.add_hook(f"{log}def on_env(*_, **__):\n    log.{warns}\n")
    assert site.bad().startswith("mkdocs.yml:1: Target 'q.md' of 'x' is")


HOOKS = {
    "syntax": ("def on_env(:\n", 1, "SyntaxError: invalid syntax"),
    "import": ("import sys\nimport none_such\n", 2, "ModuleNotFoundError: "),
    "markdown": (
        "def on_page_markdown(markdown, **_):\n    raise ValueError('x')\n",
        2,
        "ValueError: x",
    ),
    "end": ("def on_post_build(config):\n    1 / 0\n", 2, "ZeroDivision"),
    "exit": ("def on_env(env, **_):\n    raise SystemExit(3)\n", 2, "SystemE"),
    "file": ("def on_env(env, **_):\n    open('nowhere')\n", 2, "FileNotFou"),
}


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_that_raises_is_named_with_its_line(
    site: Site, name: str
) -> None:
    text, line, raised = HOOKS[name]
    site.add_hook(text)
    words = site.bad()
    assert words.startswith(f"hook.py:{line}: this raised {raised}"), words
    assert words.count("mend:") == 1


def test_an_event_that_there_is_not_is_named_with_its_line(
    site: Site,
) -> None:
    site.add_hook("import re\n\n\ndef on_page_markdwon(**_): ...\n")
    words = site.bad()
    assert words.startswith("hook.py:4: MkDocs has no event on_page_markdwon")
    assert 'mend: write "on_page_markdown"? ' in words
    assert words.count("mend:") == 1


@pytest.mark.parametrize(
    ("event", "place"),
    [
        ("env", "mkdocs.yml: MkDocs"),
        ("pre_template", "mkdocs.yml: MkDocs"),
        ("post_template", "mkdocs.yml: MkDocs"),
    ],
)
def test_a_hook_that_returns_another_kind_is_one_message(
    site: Site, event: str, place: str
) -> None:
    site.add_hook(f"def on_{event}(*_, **__):\n    return 3\n")
    words = site.bad()
    assert words.startswith(f"{place} raised AttributeError: 'int' object")
    assert words.count("mend: correct what ") == 1


@pytest.mark.parametrize("event", ["config", "post_page"])
@pytest.mark.parametrize("kind", ["3", "[]", "b'x'"])
def test_what_a_hook_returns_to_the_engine_is_named(
    site: Site, event: str, kind: str
) -> None:
    site.add_hook(f"def on_{event}(*_, **__):\n    return {kind}\n")
    assert site.bad().splitlines() == [
        f"mkdocs.yml: a plugin or hook returns {kind} from on_{event}",
        "  mend: let it return what it is given, or a copy that it changed",
    ]


@pytest.mark.parametrize("name", ["nowhere.html", "3", "[]"])
def test_a_template_that_there_is_not_is_named_with_its_page(
    site: Site, name: str
) -> None:
    site.page("it's", f"---\ntemplate: {name}\n---\n\n# P\n\nText.\n")
    words = site.bad()
    assert words.startswith("docs/it's.md: rendering it raised "), words
    assert words.count("mend:") == 1


def test_a_template_that_raises_is_named_with_its_line(site: Site) -> None:
    block = "{% block content %}{{ a.b.c }}{% endblock %}"
    site.write("theme/main.html", f"{{% extends 'base.html' %}}\n{block}\n")
    words = site.bad()
    assert words.startswith("theme/main.html:2: this raised UndefinedError: ")


@pytest.mark.parametrize("name", ["main.html", "partials/footer.html"])
def test_a_template_in_another_encoding_is_named(
    site: Site, name: str
) -> None:
    file = site.write(f"theme/{name}", "{# a #}\n")
    file.write_text("{# a #}\n{# Jürgen #}\n", "latin-1")
    words = site.bad()
    assert words.splitlines() == [
        f"theme/{name}:2: is not encoded in UTF-8",
        "  mend: save it as UTF-8",
    ]


RULES = """\
def word(*_): return ["odd"]
def nothing(*_): ...
number = 3
def bad(project, pages):
    yield 1 / 0
"""


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("none_such:all", "mkdocs.yml:{}: checks: none_such:all: No module"),
        ("rules", "mkdocs.yml:{}: checks: rules: "),
        ("rules:none", "mkdocs.yml:{}: checks: rules:none: "),
        ("rules:bad", "rules.py:5: this raised ZeroDivisionError: "),
        (
            "rules:word",
            "mkdocs.yml:{}: checks: rules:word: 'odd' is no PageErr",
        ),
        (
            "rules:nothing",
            "mkdocs.yml:{}: checks: rules:nothing: 'NoneType' ob",
        ),
        (
            "rules:number",
            "mkdocs.yml:{}: checks: rules:number: 'int' object is",
        ),
    ],
)
def test_a_check_of_the_sites_own_that_fails_is_named(
    site: Site, named: str, said: str
) -> None:
    site.write("rules.py", RULES)
    option = f"  - engine.extension:\n      checks: ['{named}']\n"
    site.replace("mkdocs.yml", EXTENSION, option)
    code, words = site.engine("check")
    assert code == 1
    assert words.startswith(said.format(MKDOCS.count("\n") + 1)), words
    assert words.count("mend:") == 1


def test_front_matter_that_is_no_yaml_is_named_with_its_line(
    site: Site,
) -> None:
    site.page("p", "---\ntags: [a]\ntitle: One: two\n---\n\n# P\n\nText.\n")
    words = site.bad()
    assert words.startswith("docs/p.md:3: the front matter cannot be read: ")
    assert words.count("mend:") == 1


def test_front_matter_that_is_empty_is_named(site: Site) -> None:
    site.page("p", "---\n---\n\n# P\n\nText.\n")
    site.page("q", "---\n\n# Q\n\n---\n\nText.\n")
    words = site.bad()
    assert words.startswith("docs/p.md:1: the front matter is empty, so")
    assert words.count("mend:") == 1


@pytest.mark.parametrize("key", ["title", "description"])
def test_a_value_where_only_text_can_stand_is_named(
    site: Site, key: str
) -> None:
    site.page(
        "p", f'---\n{key}: "Two: {{{{ 1 + 1 }}}}"\n---\n\n# P\n\nText.\n'
    )
    words = site.bad()
    assert words.startswith("docs/p.md:2: a value cannot stand in"), words
    assert words.count("mend:") == 1


def test_a_value_in_the_navigation_is_named(site: Site) -> None:
    site.page("p", "# P\n\nText.\n")
    config = site.root / "mkdocs.yml"
    nav = 'nav:\n  - "Two {{ 1 + 1 }}": p.md\n'
    config.write_text(config.read_text() + nav)
    words = site.bad()
    assert words.startswith("mkdocs.yml:"), words
    assert "a value cannot stand in" in words


def test_a_link_of_the_file_system_that_leads_nowhere_is_named(
    site: Site,
) -> None:
    for goal, problem in (
        ("nowhere.md", "No such file or directory"),
        ("p.md", "Too many levels of symbolic links"),
    ):
        (site.root / "docs/p.md").unlink(missing_ok=True)
        (site.root / "docs/p.md").symlink_to(goal)
        words = site.bad()
        assert words.startswith(f"docs/p.md: {problem}\n")
        assert "put a file there" in words
