"""Roll-up: how a whole group of accounts is, from the parent down."""
