"""Compare texts that hold numbers: words exactly, numbers closely."""

import re
from pathlib import Path

EXPECTED = Path("tests/expected")
"""Where the text is kept that a page is to print and draw."""

STATED = re.compile(r"numbers agree within (\S+)\n")
TOLERANCE = 1e-3
"""How far numbers may differ, relative to the larger, if no page says."""

NUMBER = re.compile(r"-?\d+(?:\.\d*)?(?:e[+-]?\d+)?")


def stated_tolerance(text: str) -> float:
    """Return the tolerance that the first line of a kept text states."""
    stated = STATED.match(text)
    return float(stated[1]) if stated else TOLERANCE


def same(old: str, new: str, tolerance: float = TOLERANCE) -> bool:
    """Return whether two texts agree: words exactly, numbers closely."""
    if NUMBER.split(old) != NUMBER.split(new):
        return False
    pairs = zip(NUMBER.findall(old), NUMBER.findall(new), strict=True)
    return all(close(a, b, tolerance) for a, b in pairs)


def close(old: str, new: str, tolerance: float = TOLERANCE) -> bool:
    """Return whether two numbers, as they are written, agree.

    Whole numbers count things and agree if they are equal.  Others may
    differ by the tolerance, relative to the larger and a tenth of it near
    zero, and by one in the last decimal, which may be rounded either way.
    """
    if old == new:
        return True
    if old.lstrip("-").isdigit() and new.lstrip("-").isdigit():
        return int(old) == int(new)
    a, b = float(old), float(new)
    allowed = max(tolerance * max(abs(a), abs(b)), tolerance / 10)
    last = max(_last_decimal(old), _last_decimal(new))
    return abs(a - b) <= max(allowed, last * (1 + 1e-9))


def _last_decimal(number: str) -> float:
    """Return what one in the last decimal is worth; 0 without decimals."""
    mantissa, _, exponent = number.partition("e")
    decimals = mantissa.partition(".")[2]
    if not decimals:
        return 0.0
    return float(10.0 ** (int(exponent or 0) - len(decimals)))
