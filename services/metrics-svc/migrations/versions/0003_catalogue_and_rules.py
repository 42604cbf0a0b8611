"""Evidence says its own dimension and polarity: a tenant may add kinds."""

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Filled in by the feature that it is named after."""
