"""Rescoring: going through a tenant's accounts in the background, after a change of scorecards or to check the sums."""
