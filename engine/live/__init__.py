"""Lets a reader of the served site edit its blocks and run them."""
