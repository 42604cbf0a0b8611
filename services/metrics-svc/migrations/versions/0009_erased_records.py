"""An erasure counts the survey answers and reported figures it took somebody out of."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the count; of earlier erasures nobody counted."""
    op.execute("ALTER TABLE erasure ADD records bigint NOT NULL DEFAULT 0")
