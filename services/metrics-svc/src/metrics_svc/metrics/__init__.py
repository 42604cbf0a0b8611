"""Metrics: named formulas over figures, as series and side by side, against targets and the previous period."""
