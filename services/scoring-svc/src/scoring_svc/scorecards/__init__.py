"""Scorecards: what evidence and measures are worth, as versioned configuration."""
