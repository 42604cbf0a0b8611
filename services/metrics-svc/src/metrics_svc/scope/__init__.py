"""Scope: whether an account's orders come to more or to less than they used to."""
