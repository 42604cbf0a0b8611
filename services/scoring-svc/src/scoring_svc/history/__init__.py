"""The past of an account's health: a series for a chart, what happened on the way, and the chart itself."""
