"""``python -m tests.claims``: which sentences of the pages are held.

It prints a table and what is wrong; ``--write PAGE`` adds what is to be
judged to the page's list, and ``--write-counts`` keeps the table's numbers,
which a page shows.
"""

import argparse
import sys

from tests.claims.ledger import (
    COUNTS,
    counts,
    is_judged,
    not_judged,
    standing,
    table,
    write,
)
from tests.claims.sentences import names


def main(arguments: list[str] | None = None) -> int:
    """Print how the pages stand; return 1 if anything is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.claims")
    parser.add_argument("pages", nargs="*", metavar="PAGE")
    parser.add_argument("--write", metavar="PAGE", choices=names())
    parser.add_argument("--write-counts", action="store_true")
    options = parser.parse_args(arguments)
    if unknown := {*options.pages} - {*names()}:
        parser.error(f"no page {', '.join(unknown)}")
    if options.write:
        write(options.write)
    if options.write_counts:
        COUNTS.write_text(counts([*filter(is_judged, names())]), "utf-8")
    asked = options.pages or [options.write] * bool(options.write)
    pages = asked or [page for page in names() if is_judged(page)]
    print(table(pages))
    faults = [fault for page in pages for fault in standing(page).faults]
    print("", *faults, sep="\n")
    if not asked:
        print("Not judged yet:", ", ".join(not_judged()) or "none")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
