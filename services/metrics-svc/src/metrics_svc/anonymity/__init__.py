"""Anonymity: taking out of what is stored who it was about, so that all evidence stays what it is."""
