"""Connections of source systems, what they delivered, and when each was last heard from."""

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Filled in by the feature that it is named after."""
