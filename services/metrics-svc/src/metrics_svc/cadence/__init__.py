"""Cadence: how often we and the client hear from each other, beside how often we should."""
