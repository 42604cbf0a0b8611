"""Accounts: who the client is, its external ids and its place in the hierarchy (P1)."""
