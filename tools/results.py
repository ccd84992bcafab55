"""Results as JSON that is short enough to be read on a page."""

import json
from pathlib import Path

WIDTH = 79


def write_json(path: Path, results: object) -> None:
    """Keep the results in the file."""
    path.write_text("\n".join(_lines("", results, "")) + "\n", "utf-8")


def _lines(start: str, value: object, end: str) -> list[str]:
    """Return the value between start and end, on one line if it fits."""
    flat = f"{start}{json.dumps(value)}{end}"
    depth = len(start) - len(start.lstrip()) + 1
    if not isinstance(value, dict | list) or len(flat) <= WIDTH:
        return [flat]
    if isinstance(value, dict):
        parts = [(f"{json.dumps(key)}: ", each) for key, each in value.items()]
    else:
        parts = [("", each) for each in value]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    commas = [","] * (len(parts) - 1) + [""]
    lines = [start + opening]
    for (key, each), comma in zip(parts, commas, strict=True):
        more = _lines(f"{' ' * depth}{key}", each, comma)
        short = len(more) == 1 and not (isinstance(each, dict | list) and each)
        room = len(lines[-1]) + len(more[0].lstrip()) < WIDTH
        begun = len(lines) > 1 and lines[-1].lstrip()[0] not in "]}"
        if begun and short and room:
            lines[-1] += f" {more[0].lstrip()}"
        else:
            lines += more
    return [*lines, f"{' ' * (depth - 1)}{closing}{end}"]
