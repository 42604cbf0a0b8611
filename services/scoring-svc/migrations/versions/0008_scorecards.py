"""Scorecards with drafts and segments, and runs that score accounts anew."""

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""
