"""Channels: where a tenant has its alerts sent, and what proves or opens the way there."""
