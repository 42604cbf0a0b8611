"""Day buckets of figures, by account, owner, territory and tier."""

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Filled in by the feature that it is named after."""
