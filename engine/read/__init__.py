"""Read modules of snippets, and pages as Python-Markdown renders them."""
