"""HTML pages to look at a dataset."""

DEFAULT_SIZE = 20.0
"""Megabytes (of 1000 kilobytes) that a page may have."""
