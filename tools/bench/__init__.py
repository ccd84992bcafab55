"""Measures what pages show as measurements; run by ``make bench``."""
