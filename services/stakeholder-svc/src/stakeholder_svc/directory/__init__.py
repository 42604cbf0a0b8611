"""The people at the client: reading what we know of them."""
