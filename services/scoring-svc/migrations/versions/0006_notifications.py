"""Channels that alerts go to, and what is secret of them."""

from alembic import op

from bellwether_kit.db.migrations import protect

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_TABLES = (
    """
    CREATE TABLE channel (
        tenant text NOT NULL,
        channel_id uuid NOT NULL,
        name text NOT NULL,
        kind text NOT NULL CHECK (kind IN ('webhook', 'pagerduty', 'alertmanager', 'email', 'slack', 'teams')),
        address text,
        recipients text[] NOT NULL,
        version integer NOT NULL CHECK (version > 0),
        author text NOT NULL,
        reason text NOT NULL,
        changed_at timestamptz NOT NULL,
        disabled_at timestamptz,
        removed_at timestamptz,
        PRIMARY KEY (tenant, channel_id)
    )
    """,
    "CREATE UNIQUE INDEX channel_named ON channel (tenant, name) WHERE removed_at IS NULL",
    """
    CREATE TABLE channel_secret (
        tenant text NOT NULL,
        channel_id uuid NOT NULL,
        secret_id uuid NOT NULL,
        sealed bytea NOT NULL,
        created_at timestamptz NOT NULL,
        created_by text NOT NULL,
        PRIMARY KEY (tenant, channel_id, secret_id),
        FOREIGN KEY (tenant, channel_id) REFERENCES channel (tenant, channel_id) ON DELETE CASCADE
    )
    """,
)


def upgrade() -> None:
    """Create the tables."""
    for statement in _TABLES:
        op.execute(statement)
    protect(op, "channel", "channel_secret")
