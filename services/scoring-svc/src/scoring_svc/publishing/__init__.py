"""Publishing: which scorecards are in force, and when that changes."""
