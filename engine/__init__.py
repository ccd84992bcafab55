"""Runs each page of the site as a program and renders what it did.

A page in ``docs/`` names sections of the modules in ``snippets/``.  The
sections that a page shows, in page order, are its program.  The rooms, in
the order in which a build walks through them:

``sections``   a module of ``snippets/`` → its named sections
``fences``     a Markdown page → its fences and their options
``blocks``     a fence → a block: Python to run, a file to save, a command
``pages``      a Markdown page → its program: blocks and values, with lines
``project``    the whole site → all pages, and what must hold between them
``runner``     a program → its results, from a child process (``child``,
               which draws through ``figures`` and says by ``figure_data``
               what it drew)
``records``    results kept on disk for as long as they are true
``render``     a block and its result → HTML
``extension``  the above as a Python-Markdown extension
``site``       the command's part: build into ``site/``, or serve
"""
