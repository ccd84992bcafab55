"""Read modules of snippets, and pages as Python-Markdown renders them.

``sections``     a module, cut into sections
``snippets``     all modules, read when asked for
``options``      the options that fences may have
``fences``       the fences of a program
``superfences``  fences as SuperFences hands them over
``values``       expressions in double braces
``formulas``     LaTeX as MathML
``marks``        what stands where a result belongs
``visible``      what of a page a browser shows
``source``       which line of which file is rendered
``markdown``     the reader, which leaves marks
``reading``      what it notes of a page
``page``         the page as it was rendered
"""
