"""Targets: what a metric shall come to for a group or an account, from when on, who said so and why."""
