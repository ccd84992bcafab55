"""A site with the extensions that authors use, and its pages' forms."""

import re
from collections.abc import Mapping
from pathlib import Path

from engine.program import joined
from tests.engine.kinds import forms
from tests.engine.scratch import Scratch

MKDOCS = """\
site_name: Kinds
strict: true
theme: {name: material, font: false, custom_dir: theme}
plugins:
  - search
  - mkdocs-jupyter:
      include: ["*.ipynb"]
      ignore: ["*.md"]
      execute: false
      cache: false
markdown_extensions:
  - abbr
  - admonition
  - attr_list
  - def_list
  - footnotes
  - md_in_html
  - smarty
  - tables
  - toc: {permalink: true}
  - pymdownx.betterem
  - pymdownx.blocks.admonition
  - pymdownx.blocks.details
  - pymdownx.blocks.tab: {alternate_style: true}
  - pymdownx.caret
  - pymdownx.critic
  - pymdownx.details
  - pymdownx.highlight: {pygments_lang_class: true}
  - pymdownx.inlinehilite
  - pymdownx.keys
  - pymdownx.magiclink
  - pymdownx.mark
  - pymdownx.smartsymbols
  - pymdownx.snippets: {base_path: [!relative $config_dir], check_paths: true}
  - pymdownx.superfences
  - pymdownx.tabbed: {alternate_style: true}
  - pymdownx.tasklist
  - pymdownx.tilde
  - engine.extension
"""

MAIN = """\
{% extends "base.html" %}
{% block content %}{{ super() }}
{% for link in page.meta.take_home or [] %}
<a class="run-downloads" href="{{ link.href | e }}">{{ link.label | e }}</a>
{% endfor %}{% endblock %}
"""


class Site(Scratch):
    """A site whose pages are tried in all their forms."""

    def sections(self, module: str, **codes: str) -> None:
        """Write a module with a section for each code, under a guard."""
        text = '"""A module."""\n\nif __name__ == "__main__":\n'
        for name, code in codes.items():
            lines = [f"# region {name}", *code.split("\n")]
            lines.append(f"# endregion {name}")
            text += "".join(f"    {line}".rstrip() + "\n" for line in lines)
        (self.root / f"snippets/{module}.py").write_text(text, "utf-8")

    def page(self, name: str, text: str) -> None:
        """Write a page as it is given, to the byte."""
        file = self.root / f"docs/{name}.md"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode())

    def add_plugin(self, name: str) -> None:
        """Have MkDocs use another plugin, too."""
        self.replace("mkdocs.yml", "  - search\n", f"  - search\n  - {name}\n")

    def add_hook(self, code: str) -> None:
        """Have MkDocs call the functions of a module of this code."""
        self.write("hook.py", code)
        with (self.root / "mkdocs.yml").open("a") as file:
            file.write("hooks: [hook.py]\n")

    def good(self, *arguments: str) -> Path:
        """Build; return the site's folder, in which all links lead on."""
        code, words = self.engine("build", *arguments)
        assert code == 0, words
        folder = self.root / "site"
        assert forms.dead_links(folder) == []
        return folder

    def bad(self) -> str:
        """Check and build, which both fail alike; return what they say."""
        code, words = self.engine("build")
        assert code == 1, words
        assert "Traceback" not in words
        assert not (self.root / "site").exists()
        return words

    def named(
        self, cases: Mapping[str, tuple[str, int, str]]
    ) -> dict[str, str]:
        """Return what is said of each page, which is one thing.

        A case is the page's text, the line to be named, and words for it.
        """
        for name, (text, _, _) in cases.items():
            self.page(name, text)
        words, said = self.bad(), dict[str, str]()
        for name, (_, line, problem) in cases.items():
            begin = re.compile(rf"(?m)^docs/{name}\.")
            assert len(begin.findall(words)) == 1, (name, words)
            _, message = begin.split(words)
            said[name], *_ = message.split("\n  mend: ")
            assert said[name].startswith(f"md:{line}: "), (name, said)
            assert problem in said[name], (name, said)
        return said

    def alike(self, name: str, *outputs: str) -> forms.Form:
        """Return what the page says, and all its other forms as well."""
        built = self.root / "site"
        page = forms.page(built, f"{name}/")
        others = {
            "notebook": forms.notebook(built, f"{name}.ipynb"),
            "twin": forms.twin(built, f"{name}/index.md"),
            "view": forms.view(built, f"notebooks/{name}/"),
        }
        assert [said for _, said in page.blocks] == list(outputs)
        for form, other in others.items():
            run = [block for block in other.blocks if block in page.blocks]
            assert run == page.blocks, (name, form)
            assert other.text == page.text, (name, form)
        script = (built / f"{name}.py").read_text("utf-8")
        code = joined([code for code, _ in page.blocks])
        assert script.partition("\n\n")[2] == code
        return page
