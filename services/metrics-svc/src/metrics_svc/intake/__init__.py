"""Intake: how activities and people's own observations come in, one by one or in bulk."""
