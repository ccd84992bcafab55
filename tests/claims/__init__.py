"""Sentences of the pages, held by tests; see the README beside this file."""
