"""Actuals: what agreed KPIs came to, day by day."""
