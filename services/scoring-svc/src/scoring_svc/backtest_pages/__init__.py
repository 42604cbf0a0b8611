"""The report of a backtest as a page for people."""
