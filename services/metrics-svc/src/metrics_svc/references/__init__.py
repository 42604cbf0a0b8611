"""References: the names by which sources and people find an account, and what a person said of one."""
