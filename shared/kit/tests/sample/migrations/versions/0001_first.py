"""The sample service's tables."""

from alembic import op

from bellwether_kit.db.migrations import create_kit_tables, protect

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute(
        "CREATE TABLE thing (tenant text NOT NULL, id uuid NOT NULL, total integer NOT NULL, due_at timestamptz,"
        " PRIMARY KEY (tenant, id))"
    )
    op.execute("CREATE INDEX ix_thing_due_at ON thing (due_at)")
    create_kit_tables(op)
    protect(op, "thing")
