"""Leave out of scripts and styles what only readers of the source need.

Comments stand on lines of their own, except for the types of expressions.
"""

import re

COMMENT = re.compile(
    r"^[ \t]*(/\*(?:(?!\*/).)*\*/|//[^\n]*)\n", re.MULTILINE | re.DOTALL
)
TYPE = re.compile(r"/\*\* @type (?:(?!\*/).)*\*/ ?")
INDENT = re.compile(r"^\s+", re.MULTILINE)


def lean(text: str, keep_indent: bool = False) -> str:
    """Return JavaScript or CSS without its comments and its indentation.

    ``keep_indent`` is for modules in whose strings indentation counts.
    """
    text = TYPE.sub("", COMMENT.sub("", text))
    return text if keep_indent else INDENT.sub("", text)
