"""BG/NBD: how often and for how long clients buy, as the usual model of it says."""
