"""Whether an account's recent evidence breaks with its own past."""
