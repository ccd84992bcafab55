"""Say what came of a combination of versions, and what has got worse."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator
from typing import Any

Result = dict[str, Any]
"""What ``tools.versions`` keeps of a combination."""

SPRINGS = re.compile(r"test_trap_(\d+)_springs")


def read_tests(report: str) -> tuple[int, list[str]]:
    """Return how many tests passed, and the names of those that did not.

    What was left out, as tests of the site without its generator, is neither.
    """
    failed = []
    every = ET.fromstring(report).iter("testcase")
    cases = [case for case in every if case.find("skipped") is None]
    for case in cases:
        if case.find("failure") is None and case.find("error") is None:
            continue
        file = case.get("classname", "").replace(".", "/")
        failed.append(f"{file}.py::{case.get('name')}")
    return len(cases) - len(failed), sorted(failed)


def tamed(failed: Iterable[str]) -> list[int]:
    """Return the numbers of the traps that no longer spring."""
    found = {SPRINGS.search(name) for name in failed}
    return sorted({int(match[1]) for match in found if match})


def verdict(result: Result) -> str:
    """Return in a word or two what came of a combination."""
    if "not installed" in result:
        return "cannot be installed together"
    if "broken" in result:
        return "does not run"
    pages = [page for page, told in result["pages"].items() if told]
    parts = []
    if result["failed"]:
        parts.append(f"{len(result['failed'])} tests fail")
    if sentences := sum(map(len, result.get("untrue", {}).values())):
        parts.append(f"{sentences} sentences not true")
    if pages:
        parts.append(f"differs: {', '.join(pages)}")
    if result["tamed"]:
        traps = ", ".join(map(str, result["tamed"]))
        parts.append(f"no longer springs: trap {traps}")
    return "; ".join(parts) or "all as shown"


def worse(before: dict[str, Result], after: dict[str, Result]) -> list[str]:
    """Return a line for all that was good before and is no longer.

    A combination without an earlier result is compared with one in which
    all was as shown.
    """
    told = []
    for name, result in after.items():
        known = set(_faults(before.get(name, {})))
        new = [fault for fault in _faults(result) if fault not in known]
        told += [f"worse: {name}: {fault}" for fault in new]
    return told


def _faults(result: Result) -> Iterator[str]:
    """Yield all that is not as shown, each in a line."""
    if "not installed" in result or "broken" in result:
        yield verdict(result)
    for test in result.get("failed", []):
        yield f"{test} fails"
    for page, sentences in result.get("untrue", {}).items():
        for sentence in sentences:
            yield f'{page} says what is not true: "{sentence}"'
    for page, told in result.get("pages", {}).items():
        if told:
            yield f"{page} differs"
    for trap in result.get("tamed", []):
        yield f"trap {trap} no longer springs"
