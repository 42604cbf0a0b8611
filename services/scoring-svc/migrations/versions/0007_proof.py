"""What in the end became of accounts."""

from alembic import op

from bellwether_kit.db.migrations import protect

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_TABLES = (
    """
    CREATE TABLE outcome (
        tenant text NOT NULL,
        account_id uuid NOT NULL,
        kind text NOT NULL CHECK (kind IN ('churned', 'reduced', 'renewed', 'grew')),
        happened_on date NOT NULL,
        author text NOT NULL,
        recorded_at timestamptz NOT NULL,
        PRIMARY KEY (tenant, account_id, kind, happened_on)
    )
    """,
    "CREATE INDEX outcome_by_date ON outcome (tenant, happened_on, account_id, kind)",
)


def upgrade() -> None:
    """Create the table."""
    for statement in _TABLES:
        op.execute(statement)
    protect(op, "outcome")
