"""Alembic's way in."""

from bellwether_kit.db.migrations import run

run(None)
