"""Surveys: what clients answered, and the satisfaction it comes to (CSAT, NPS)."""
