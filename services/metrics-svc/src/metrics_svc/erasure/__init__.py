"""Erasure: a person's or an account's data go, what evidence says stays, and scores with it."""
