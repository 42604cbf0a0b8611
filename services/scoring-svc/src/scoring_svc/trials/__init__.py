"""Trials: what a scorecard would make of every account, before it is published."""
