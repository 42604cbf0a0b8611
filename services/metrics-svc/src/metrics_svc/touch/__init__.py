"""Touch: when we and the client last heard from each other."""
