"""Carry out programs, and tell what they did.

``queue``        programs side by side, the longest first
``report``       which run, and for how long
``workers``      their processes
``server``       the process from which those are forked
``worker``       the process of one program
``session``      a program at work, and its limits
``environment``  what it finds in its environment
``beside``       what a reader does beside it: files, commands
``hiding``       what it does not see: the engine
``interpreter``  its blocks of Python, as one file
``class_lines``  where its classes begin
``figures``      its figures, as Matplotlib's SVG
``svg``          which is made lean
``figure_style`` and how they look
``figure_data``  and the data that they draw
``imports``      what importing a module does
``check``        whether a step did what the page says
``terminal``     what a terminal would show of its output
``results``      what its steps did
"""

import sys

BARE = dict(sys.modules)
"""What Python begins with, in a process that imports nothing before this."""
BARE.pop("linecache", None)  # needed by no program but the one after -c
