"""Fitting: weights that would have foretold better what happened, proposed as a scorecard."""
