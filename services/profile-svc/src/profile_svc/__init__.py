"""Bellwether's profile service."""
