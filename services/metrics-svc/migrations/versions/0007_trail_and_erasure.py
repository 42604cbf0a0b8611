"""The trail of evidence, names given by hand, erasure and retention."""

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Filled in by the feature that it is named after."""
