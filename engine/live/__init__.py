"""Let a reader of the served site edit its blocks and run them.

``guard``     lets in only what a page that was served here asks for
``app``       stands before the server of the site
``api``       what pages order, and what they are answered
``sessions``  at most as many as the machine has cores
``session``   one page's program at work
``edits``     its blocks as the reader has edited them
``results``   what they did, in HTML and in words
"""
