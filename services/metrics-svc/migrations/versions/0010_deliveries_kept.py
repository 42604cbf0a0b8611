"""How long a tenant keeps what sources delivered."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the limit, by default what has held so far, and how many deliveries a run removed."""
    op.execute("ALTER TABLE retention_limits ADD delivery_days integer NOT NULL DEFAULT 30 CHECK (delivery_days > 0)")
    op.execute("ALTER TABLE retention_run ADD deliveries bigint NOT NULL DEFAULT 0")
