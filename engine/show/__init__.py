"""Turn a page's marks and record into what a browser shows.

``blocks``  a block and what it did, as HTML
``page``    the page, its marks replaced
"""
