"""Conditions: what makes each alert rule fire, hold and clear."""
