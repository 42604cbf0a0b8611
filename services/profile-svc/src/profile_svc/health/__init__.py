"""The last health that scoring-svc published for each account: a projection, never a computation."""
