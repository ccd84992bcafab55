"""What readers take home, made from the rendered page.

``article``   its HTML as elements
``walk``      its prose and blocks, one after the other
``markdown``  prose as Markdown
``notebook``  the executed notebook
``text``      the twin in Markdown, and the script
``page``      what is known of a page
"""
