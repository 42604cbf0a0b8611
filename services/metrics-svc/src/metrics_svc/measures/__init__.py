"""Measures: figures over the evidence of one account and period."""
