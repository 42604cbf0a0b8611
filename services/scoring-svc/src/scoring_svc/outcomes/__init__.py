"""Outcomes: what in the end became of accounts, as people or other systems say it."""
