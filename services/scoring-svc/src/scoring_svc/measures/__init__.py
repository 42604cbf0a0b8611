"""Measures that other services take: last touch, coverage, satisfaction, plan progress."""
