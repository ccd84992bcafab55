"""A hook that knows nothing of the engine, and edits Markdown."""

import re
from typing import Any

SHOW = re.compile(r"(?m)^@show (\S+)$")
HEADING = re.compile(r"\A(# .*\n)?")


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Write out what pages say in short; add a line of the site's own."""
    written = SHOW.sub(r'```python run="code/\1"' + "\n```", markdown)
    return HEADING.sub(r"\1\n*Ein Kurs in Wellen.*\n\n", written)
