"""Notifications: what is sent to channels about alerts, once each, and the record of it."""
