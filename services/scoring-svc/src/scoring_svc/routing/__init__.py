"""Routing: which alerts go to which channels, and when."""
