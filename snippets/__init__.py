"""The code that the pages show, run and test.

Each module teaches one thing.  Sections between ``# region`` and
``# endregion`` are what pages show; lines outside of them are for the
package alone.  Importing a module defines things and does nothing else: what
a page runs stands under ``if __name__ == "__main__":``.  Modules of one page
begin with the same word.

``workers.yaml`` is a manifest that a page shows; ``results/`` has what
benchmarks and trials wrote, which pages read.  Neither is edited by hand but
the manifest.
"""
