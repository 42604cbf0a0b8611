"""Backtests: what scores of past dates foretold, held against what then happened and against simpler rankings."""
