"""Bellwether's plan service."""
