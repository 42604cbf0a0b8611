"""Bellwether's metrics service."""
