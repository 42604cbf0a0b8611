"""Verdicts: whether an alert was right to be raised, and how often each rule cries wolf."""
