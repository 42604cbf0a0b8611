"""Buying: the rhythm of an account's orders."""
