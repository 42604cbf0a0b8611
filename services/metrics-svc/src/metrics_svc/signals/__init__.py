"""Signals: activities that are evidence by themselves, as a tenant's rules have it."""
