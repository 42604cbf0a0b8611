"""The people at the client: changing what we know of them."""
