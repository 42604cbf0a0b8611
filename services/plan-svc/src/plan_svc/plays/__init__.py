"""Plays: prepared answers to an alert, opened and closed with it or by hand."""
