"""Build the site, serve it, and answer those who write it."""
