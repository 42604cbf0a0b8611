"""Channels that rules name, by id; what was known of people and plans in the past; when alerts were raised last.

History begins with what is known now, marked as copied: what was before is not known.
"""

from alembic import op

from bellwether_kit.db.migrations import protect

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_STATEMENTS = (
    "ALTER TABLE notification ALTER COLUMN route_id DROP NOT NULL",
    "ALTER TABLE alert ADD COLUMN raised_at timestamptz NOT NULL DEFAULT now()",
    """
    CREATE TABLE situation_history (
        tenant text NOT NULL,
        account_id uuid NOT NULL,
        at timestamptz NOT NULL,
        champions integer NOT NULL,
        champions_lost integer NOT NULL,
        opposing_vetoes integer NOT NULL,
        thread_share double precision,
        overdue date[] NOT NULL,
        copied boolean NOT NULL,
        forget_at timestamptz,
        PRIMARY KEY (tenant, account_id, at)
    )
    """,
    """
    CREATE UNIQUE INDEX situation_history_standing ON situation_history (tenant, account_id) WHERE forget_at IS NULL
    """,
    "CREATE INDEX situation_history_forgotten ON situation_history (forget_at) WHERE forget_at IS NOT NULL",
    "CREATE INDEX alert_by_raised_at ON alert (tenant, raised_at)",
)
_OF_EVERY_TENANT = (
    # Rules have named channels, which can be renamed; a name that no channel bears leads nowhere and is left out.
    """
    UPDATE alert_rule AS r SET configuration = jsonb_set(r.configuration, '{channels}', (
        SELECT coalesce(jsonb_agg(c.channel_id ORDER BY c.channel_id), '[]') FROM channel AS c
        WHERE c.tenant = r.tenant AND c.removed_at IS NULL AND jsonb_exists(r.configuration -> 'channels', c.name)
    ))
    WHERE jsonb_exists(r.configuration, 'channels')
    """,
    "UPDATE alert SET raised_at = CASE WHEN episode = 1 THEN opened_at ELSE last_fired_at END",
    """
    INSERT INTO situation_history (tenant, account_id, at, champions, champions_lost, opposing_vetoes, thread_share,
                                   overdue, copied)
    SELECT tenant, account_id, now(), champions, champions_lost, opposing_vetoes, thread_share, overdue, true
    FROM situation
    """,
)
_TOUCHED = ("alert", "alert_rule", "channel", "situation")


def upgrade() -> None:
    """Create the table and carry over what there is."""
    for statement in _STATEMENTS:
        op.execute(statement)
    for table in _TOUCHED:
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")  # we own it and see every tenant, for once
    for statement in _OF_EVERY_TENANT:
        op.execute(statement)
    for table in _TOUCHED:
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    protect(op, "situation_history")
