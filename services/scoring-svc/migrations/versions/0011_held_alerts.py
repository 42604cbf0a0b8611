"""Notifications that no route brought, but a rule that names its channels: by id from now on, and not by name."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Allow them, and put ids where rules have names; a name that no channel bears leads nowhere and is left out."""
    op.execute("ALTER TABLE notification ALTER COLUMN route_id DROP NOT NULL")
    for table in ("alert_rule", "channel"):
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")  # we own it and see every tenant, for once
    op.execute(
        """
        UPDATE alert_rule AS r SET configuration = jsonb_set(r.configuration, '{channels}', (
            SELECT coalesce(jsonb_agg(c.channel_id ORDER BY c.channel_id), '[]') FROM channel AS c
            WHERE c.tenant = r.tenant AND c.removed_at IS NULL AND jsonb_exists(r.configuration -> 'channels', c.name)
        ))
        WHERE jsonb_exists(r.configuration, 'channels')
        """
    )
    for table in ("alert_rule", "channel"):
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
