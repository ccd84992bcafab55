"""How many changes of the code the tests noticed, as it is kept."""

import json
from pathlib import Path
from typing import Any

RESULTS = Path("proof/mutants.json")
BARS = {"snippets": 95, "engine": 85}
"""Which part of the changes the tests are to notice, in percent."""

Result = dict[str, Any]


def read_results(root: Path) -> dict[str, Result]:
    """Return the results that are kept, by folder."""
    path = root / RESULTS
    if not path.exists():
        return {}
    kept = json.loads(path.read_text("utf-8"))
    return {folder: kept[folder] for folder in BARS if folder in kept}


def keep_result(root: Path, folder: str, result: Result) -> None:
    """Keep the result of a folder beside those of the others."""
    results = {**read_results(root), folder: result}
    text = json.dumps({f: results[f] for f in BARS if f in results}, indent=1)
    (root / RESULTS).write_text(text + "\n", "utf-8")


def score(result: Result) -> float:
    """Return which part of the changes was noticed, in percent.

    Changes without effect are left out.
    """
    counted = result["tried"] - result["equivalent"]
    return 100 * result["noticed"] / counted if counted else 0.0


def sentence(folder: str, result: Result) -> str:
    """Say the score, of how many, and the bar."""
    counted = result["tried"] - result["equivalent"]
    return (
        f"{folder}/: {result['noticed']} of {counted} changes noticed, "
        f"{score(result):.1f} % (bar {BARS[folder]} %); tried "
        f"{result['tried']} of {result['changes']}, "
        f"{result['equivalent']} of them without effect"
    )
