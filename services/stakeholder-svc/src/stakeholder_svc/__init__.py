"""Bellwether's stakeholder service."""
