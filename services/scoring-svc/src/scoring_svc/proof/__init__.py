"""How well scores foretell what then happened: the statistics of it, and backtests."""
