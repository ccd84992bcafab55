"""What a terminal would show in the end of what was written to it."""

import re

# No terminal is wide or high enough for a move of five digits.
PART = re.compile(
    r"(?P<text>[^\x00-\x08\x0a-\x1f\x7f-\x9f]+)"
    r"|\x1b\[(?P<number>\d{0,4})(?P<move>[ABCDGK])"
    r"|\x1b\[[\d;:]*m|\x1b\[\?\d+[hl]|\x1b\].*?(?:\x07|\x1b\\)"
    r"|(?P<control>.)",
    re.DOTALL,
)
STEPS = {"A": (-1, 0), "B": (1, 0), "C": (0, 1), "D": (0, -1)}
NAMES = {"\0": "NUL ", "\a": "BEL ", "\x1b": "ESC "}
NAMES |= {"\v": "vertical tab ", "\f": "form feed "}


def screen(output: bytes) -> str:
    """Return the text that is left once the cursor's moves are followed.

    Colours are dropped.  Raises UnicodeDecodeError for what is not UTF-8,
    and ValueError, which names it, for another control character.
    """
    screen = _Screen()
    for part in PART.finditer(output.decode("utf-8")):
        if part["text"]:
            screen.write(part["text"])
        elif part["move"]:
            screen.move(part["move"], part["number"])
        elif part["control"]:
            screen.control(part["control"])
    return screen.text()


class _Screen:
    """Lines of any length, and the place of the cursor."""

    def __init__(self) -> None:
        self._lines = [""]
        self._row = self._column = 0
        self._redrawn: set[int] = set()

    def text(self) -> str:
        for row in self._redrawn:
            # Its last blanks have wiped out what stood there.
            self._lines[row] = self._lines[row].rstrip(" ")
        return "\n".join(self._lines)

    def write(self, text: str) -> None:
        end = self._column + len(text)
        line = self._lines[self._row].ljust(self._column)
        self._lines[self._row] = line[: self._column] + text + line[end:]
        self._column = end

    def control(self, character: str) -> None:
        match character:
            case "\n":
                self._go(self._row + 1, 0)
            case "\r":
                self._go(self._row, 0)
            case "\b":
                self._go(self._row, self._column - 1)
            case _:
                name = f"{NAMES.get(character, '')}({character!r})"
                name = name.replace("'", "")
                raise ValueError(f"the control character {name}")

    def move(self, letter: str, number: str) -> None:
        line, column = self._lines[self._row], self._column
        if letter == "K":
            before = line[:column] if number in ("", "0") else " " * column
            after = line[column:] if number == "1" else ""
            self._lines[self._row] = before + after
        elif letter == "G":
            self._go(self._row, int(number or 1) - 1)
        else:
            down, right = (step * int(number or 1) for step in STEPS[letter])
            self._go(self._row + down, column + right)

    def _go(self, row: int, column: int) -> None:
        if column < self._column and row == self._row:
            self._redrawn.add(row)
        self._row, self._column = max(row, 0), max(column, 0)
        self._lines += [""] * (self._row + 1 - len(self._lines))
