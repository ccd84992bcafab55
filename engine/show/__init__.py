"""Turn a page's marks and record into what a browser shows."""
