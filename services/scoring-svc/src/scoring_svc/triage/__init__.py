"""Triage: people read alerts, acknowledge, snooze, assign, comment on and resolve them."""
