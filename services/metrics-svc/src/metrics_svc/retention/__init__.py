"""Retention: how long a tenant keeps what activities say in words and what sources delivered, and the daily runs."""
