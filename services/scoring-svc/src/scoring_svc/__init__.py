"""Bellwether's scoring service."""
