"""Proves that the site still says what it said.

``compare``    whether two texts agree: words exactly, numbers closely
``expected``   what every page is to print and draw, kept as text
``checks``     what ``engine check`` asks of this site's pages, by ``rules``
``versions``   tests and pages under other versions, run ``inside`` of each
"""
