"""Expectations: replies we asked for, and whether they came."""
