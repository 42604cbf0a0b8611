"""Previews: what a changed alert rule would have raised in the past; nothing of it is written."""
