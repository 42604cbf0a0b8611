"""Backtests as the command line asks for them; scoring-svc does them."""
