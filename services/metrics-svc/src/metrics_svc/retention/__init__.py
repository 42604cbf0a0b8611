"""Retention: how long a tenant keeps what activities say in words, and the daily runs that take it out."""
