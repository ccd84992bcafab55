"""Write rendered prose as Markdown that shows the same text.

It is read by Python-Markdown, by CommonMark and by notebooks, so only what
all of them take as an escape is used, and else an entity.
"""

import re
import string
from copy import copy
from typing import Any

import markdownify
from bs4 import Tag
from bs4.element import NavigableString

from engine.read.visible import ENDS_PARAGRAPH

ADDRESS = r"https?://(?:[^\s<>&|`\\*\[\]$#]|#(?=\w))+"
# Many make a link of an address, and show what is escaped in it.
ESCAPED = re.compile(
    rf"({ADDRESS})"
    r"|[\\`*_\[\]|#$]|!(?=\Z)"
    r"|<(?=\S|\Z)|&(?=#?\w+;)|(?<=\S)~|~(?=~)"
)
STARTS_LINE = r"([^\S\n]*)([-+>=:~]|\d+(?=[.)](?:\s|\Z)))"
FIRST_OF_LINE = re.compile(rf"(?m)^{STARTS_LINE}")
AFTER_NEWLINE = re.compile(rf"(?<=\n){STARTS_LINE}")
BACKTICKS = re.compile("`+")
LANGUAGE = re.compile(r"language-(\S+)")
FENCE = re.compile(r'<pre class="(?!highlight)([\w-]+)"><code>')
"""How a fence begins that a browser is to draw, as mermaid."""
PUNCTUATION = re.compile(f"[{re.escape(string.punctuation)}]")
NO_CELL = ["blockquote", "caption", "dl", "ol", "pre", "table", "ul"]
"""What no table of Markdown can hold."""
HOLDERS = ("blockquote", "dd", "li")
"""In which notebooks read neither tables nor lists of definitions."""
ALIGNED = re.compile(r"text-align:\s*(left|center|right)")
RULES = {"left": ":--", "center": ":-:", "right": "--:"}
SPANS = {"a", "b", "em", "i", "strong"}
ENDS_LINE = {"br", *ENDS_PARAGRAPH}
CONVERTER: Any = markdownify.MarkdownConverter  # its types leave out a lot


def fenced(language: str, text: str) -> str:
    """Return the text as a block of code that nothing in it can end."""
    longest = max(map(len, BACKTICKS.findall(text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def markdown(element: Tag, *, for_cell: bool = False) -> str:
    r"""Return the element's contents as Markdown.

    In a cell of a notebook a dollar or a backslash of the text must not
    start a formula.  A backslash before it is not enough: JupyterLab looks
    for formulas in the rendered text again, but not across elements.
    """
    text: str = _Writer(for_cell).convert_soup(element)
    return text.strip("\n")


def escaped(text: str, *, for_cell: bool = False) -> str:
    """Return one line of text as Markdown that shows it as it is."""
    return _Writer(for_cell).escape(text, set())


class _Writer(CONVERTER):
    def __init__(self, for_cell: bool) -> None:
        super().__init__(
            heading_style="atx",
            bullets="-",
            sub_symbol="<sub>",
            sup_symbol="<sup>",
        )
        self.for_cell = for_cell

    def process_text(self, el: NavigableString, parent_tags: set[str]) -> str:
        text: str = super().process_text(el, parent_tags)
        if "_noformat" in parent_tags:
            return text
        before = el.previous_sibling
        inside = isinstance(before, Tag) and before.name not in ENDS_LINE
        inside |= isinstance(el.parent, Tag) and el.parent.name in SPANS
        pattern = AFTER_NEWLINE if inside else FIRST_OF_LINE
        return pattern.sub(_escape_start, text)

    def escape(self, text: str, parent_tags: set[str]) -> str:
        return ESCAPED.sub(self._escape_one, text)

    def _escape_one(self, found: re.Match[str]) -> str:
        mark = found[0]
        if found[1] and self.for_cell:
            scheme, _, rest = mark.partition(":")
            return f"{scheme}&#58;{self.escape(rest, set())}"
        if found[1]:
            return mark
        if mark in "<&~" or found.string.startswith("]:", found.start()):
            return _entity(mark)
        if self.for_cell and mark in "$\\":
            return f"<span>\\{mark}</span>"
        return mark if mark == "$" else f"\\{mark}"

    def convert_code(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        if "_noformat" in parent_tags:
            return text
        text = text.replace("\n", " ")  # else a line may begin with a mark
        splits = "|" in text and not parent_tags.isdisjoint(("td", "th"))
        splits |= "``" in text  # as a fence, which three of them begin
        if splits or ("$" in text and self.for_cell):
            inside = PUNCTUATION.sub(lambda m: _entity(m[0]), text)
            return f"<code>{inside}</code>"
        code: str = super().convert_code(el, text, parent_tags)
        return code

    convert_kbd = convert_samp = convert_code

    def convert_pre(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        around = [el, *el.find_all("code"), *el.parents]
        names = " ".join(" ".join(e.get("class") or ()) for e in around)
        language = LANGUAGE.search(names) or FENCE.match(str(el))
        code = el.get_text().strip("\n")
        if "_inline" in parent_tags:
            return self.convert_code(el, " ".join(code.split()), parent_tags)
        return f"\n\n{fenced(language[1] if language else '', code)}\n\n"

    def convert_math(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        lines = str(el.get("data-latex", text)).splitlines()
        latex = "\n".join(line.strip() for line in lines if line.strip())
        if not parent_tags.isdisjoint(("td", "th")):
            latex = latex.replace(r"\|", r"\Vert{}").replace("|", r"\vert{}")
        if el.get("display") != "block" or "_inline" in parent_tags:
            return f"${' '.join(latex.split())}$"
        return f"\n\n$$\n{latex}\n$$\n\n"

    def convert_img(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        alt = self.escape(str(el.get("alt", "")), parent_tags)
        title = self.escape(str(el.get("title", "")), parent_tags)
        quoted = title.replace('"', r"\"")
        said = f' "{quoted}"' if title else ""
        return f"![{alt}]({el.get('src', '')}{said})"

    def convert_a(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        if "\\" in (title := str(el.get("title", ""))):
            el = copy(el)
            el["title"] = title.replace("\\", r"\\")
        link: str = super().convert_a(el, text, parent_tags)
        return link

    def convert_input(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return "[x]" if el.has_attr("checked") else "[ ]"

    def convert_br(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        if not parent_tags.isdisjoint(("td", "th")):
            return "<br>"
        line: str = super().convert_br(el, text, parent_tags)
        return line

    def convert_table(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        is_held = not parent_tags.isdisjoint(HOLDERS)
        if is_held or _is_more_than_markdown(el):
            return self._html(el)
        first = el.find("tr") or el
        styles = [str(cell.get("style", "")) for cell in first(["td", "th"])]
        found = [ALIGNED.search(style) for style in styles]
        rules = [RULES[match[1]] if match else "---" for match in found]
        bare = " | ".join("---" for _ in rules)
        table = text.strip().replace(bare, " | ".join(rules), 1)
        return f"\n\n{table}\n\n"

    def convert_dl(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        is_html = self.for_cell or not parent_tags.isdisjoint(HOLDERS)
        is_html |= any(t.find(ENDS_PARAGRAPH) for t in el.find_all("dt"))
        if is_html:
            return self._html(el)
        terms: str = super().convert_dl(el, text, parent_tags)
        return terms

    def convert_dd(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        if not el.find_previous_sibling("dt"):  # a block stands between
            return f"\n\n{text.strip()}\n\n"
        definition: str = super().convert_dd(el, text, parent_tags)
        return definition

    def _html(self, element: Tag) -> str:
        """Return an element as HTML, which a blank line would end."""
        for formula in element.find_all("math"):
            formula.replace_with(self.convert_math(formula, "", {"td"}))
        for pre in element.find_all("pre"):
            pre.string = pre.get_text()
        for styled in element.find_all(class_=True):
            del styled["class"]
        lines = str(element).replace("\n\n", "\n&#10;")
        if self.for_cell:
            lines = lines.replace("$", "<span>$</span>")
        return f"\n\n{lines}\n\n"

    def convert_li(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        item: str = super().convert_li(el, text, parent_tags)
        marker = item.split(" ")[0]
        # Python-Markdown nests what is indented by four columns.
        pad = " " * max(4 - len(marker), 1)
        return item.replace("\n ", f"\n{pad}").replace(" ", pad, 1)


def _is_more_than_markdown(table: Tag) -> bool:
    """Return whether a table holds blocks, or cells of several columns."""
    cells = table.find_all(["td", "th"])
    spans = any(c.has_attr("colspan") or c.has_attr("rowspan") for c in cells)
    blocks = any(len(cell.find_all("p")) > 1 for cell in cells)
    return spans or blocks or table.find(NO_CELL) is not None


def _escape_start(found: re.Match[str]) -> str:
    blank, mark = found.groups()
    if mark.isdigit():
        return f"{blank}{mark}\\"
    return blank + (_entity(mark) if mark in "=:~" else f"\\{mark}")


def _entity(mark: str) -> str:
    names = {"<": "&lt;", "&": "&amp;"}
    return names.get(mark, f"&#{ord(mark)};")
