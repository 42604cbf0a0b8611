"""Figures: counts and sums of what happened, per account, group and day, kept in step with the truth."""
