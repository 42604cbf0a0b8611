"""Reported figures: what the finance system says of an account and a period (revenue, profit, share of wallet)."""
