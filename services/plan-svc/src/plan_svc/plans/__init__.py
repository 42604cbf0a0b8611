"""The account plan."""
