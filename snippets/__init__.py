"""The code that the pages show, run and test.

Each module teaches one thing.  Sections between ``# region`` and
``# endregion`` are what pages show; lines outside of them are for the
package alone.  Importing a module defines things and does nothing else: what
a page runs stands under ``if __name__ == "__main__":``.
"""
