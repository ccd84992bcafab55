"""What one environment makes of every page's program, as JSON.

``python -m tools.inside FILE`` runs the programs in the file, which
``tools.versions`` writes, with the packages it finds and says of each in
what it is not as kept.  It needs nothing but what the pages run with.
"""

import json
import pickle
import sys
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

from engine.errors import EngineError
from engine.keep.records import Record, make_record, missing_alts
from engine.program import Program
from engine.run.workers import Workers
from tools.bench.machine import describe_versions
from tools.expected import compare, slug

PRELOAD = ("tensorflow", "keras", "matplotlib.pyplot")


def told_of(
    root: Path, program: Program, workers: Workers, record: Record | None
) -> list[str]:
    """Return what fails or differs; a program without a record is run."""
    try:
        record = record or make_record(program, workers.run(program), 0, {})
    except EngineError as error:
        return [str(error)]
    changes = compare(root, program, record)
    errors = [*missing_alts(program, record), *(c.error for c in changes)]
    return [str(error) for error in errors]


def main(root: Path, programs: Iterable[Program]) -> None:
    """Print versions and, for each page, what is told of it."""
    with Workers(root, root / ".cache", PRELOAD) as workers:
        pages = {slug(p): told_of(root, p, workers, None) for p in programs}
    versions = describe_versions()
    versions["scikit-learn"] = version("scikit-learn")
    print(json.dumps({"versions": versions, "pages": pages}))


if __name__ == "__main__":
    main(Path.cwd(), pickle.loads(Path(sys.argv[1]).read_bytes()))
