"""Meetings: how an invitation was answered and whether the meeting took place."""
