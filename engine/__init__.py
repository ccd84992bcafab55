"""Runs each page of a site as a program and shows what it did.

The rooms, in the order in which a page walks through them:

``errors``     every mistake as one message: problem, hint, path, line
``program``    a page's steps, in the order in which it shows them
``read``       modules → sections; a page, while Python-Markdown renders it
               → marks, and the ``program`` that they stand for
``run``        a program → what its steps did, in a process of its own
``keep``       what they did → a record, for as long as it is true
``show``       a page's marks and its record → HTML
``take``       the same → notebook, script and plain text
``project``    a site's settings, and how a page of it gets its record
``extension``  the above as a Python-Markdown extension
``live``       what a reader of the served site edits and runs
``build``      the commands: build with MkDocs, serve, run, check

Nothing imports what stands below it; ``make check`` holds that.
"""
