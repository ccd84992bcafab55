"""What maintainers run now and then, each with a command of make.

``quick``     checks and tests what has changed: ``make quick``
``expected``  what pages are to print and draw: ``make expected``
``compare``   whether two texts agree: words exactly, numbers closely
``checks``    what ``engine check`` asks of this site beside
``style``     and the rules of its style
``versions``  tests and pages under other versions: ``make versions``
``inside``    what runs inside of each of their environments
``untrue``    which sentences are not true there
``verdicts``  what came of each, and what has got worse
``results``   what versions, mutants and benchmarks keep for the pages
``mutants``   whether tests notice changes: ``make mutants``
``copies``    a copy of the project, to be changed

``bench`` measures what pages show as measurements, ``lighthouse`` the built
site.  ``setup.sh`` makes ``.venv``, ``beside.sh`` environments that see it;
``equivalent.toml`` lists changes that no test can notice.  The site needs none
of it to be read, so all may be touched that its tests hold.
"""
