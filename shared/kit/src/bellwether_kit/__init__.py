"""Plumbing that every Bellwether service calls; it knows no domain noun."""
