"""The tests, in rooms that mirror what they test.

``snippets``  what the shown code does, against NumPy or a closed form
``claims``    what sentences say
``expected``  what pages print and draw, kept as text; ``make expected``
``pages``     the pages' sources
``engine``    the engine, a room for each of its rooms; ``kinds`` of input;
              ``second_site``, which is as unlike this one as can be
``explorer``  the explorer against Keras
``overrides`` what the site changes in its theme
``tools``     what maintainers run
``site``      the built site: copies, links, HTML, what is taken home
``browser``   the same in Chromium
``way_out``   the same built by other generators

``story`` runs sections as a page does; ``devices`` gives
TensorFlow two; ``conftest`` builds the site once.
"""
