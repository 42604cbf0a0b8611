"""Formulas: how a metric is made of sums of figures, with its n, its error and the period before."""
