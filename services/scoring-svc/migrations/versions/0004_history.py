"""Parents of accounts, by which health is rolled up, and how a tenant wants that done.

An account gets its parent with the next event that describes it.
"""

from alembic import op

from bellwether_kit.db.migrations import protect

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE account ADD COLUMN parent_id uuid")
    op.execute("CREATE INDEX account_by_parent ON account (tenant, parent_id) WHERE parent_id IS NOT NULL")
    op.execute(
        """
        CREATE TABLE roll_up_policy (
            tenant text NOT NULL,
            version integer NOT NULL CHECK (version > 0),
            policy text NOT NULL CHECK (policy IN ('own', 'worst-child', 'value-weighted', 'mean')),
            author text NOT NULL,
            reason text NOT NULL,
            changed_at timestamptz NOT NULL,
            PRIMARY KEY (tenant, version)
        )
        """
    )
    protect(op, "roll_up_policy")
