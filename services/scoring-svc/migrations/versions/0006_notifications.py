"""Channels that alerts go to and what is secret of them, routes to them, what was sent, and what is held back."""

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
    """
    CREATE TABLE notification_route (
        tenant text NOT NULL,
        route_id uuid NOT NULL,
        name text NOT NULL,
        channels uuid[] NOT NULL,
        kinds text[] NOT NULL,
        rules text[] NOT NULL,
        min_severity text NOT NULL CHECK (min_severity IN ('low', 'medium', 'high', 'critical')),
        tiers text[] NOT NULL,
        owners uuid[] NOT NULL,
        time_zone text NOT NULL,
        quiet_from time,
        quiet_to time,
        digest_at time,
        version integer NOT NULL CHECK (version > 0),
        author text NOT NULL,
        reason text NOT NULL,
        changed_at timestamptz NOT NULL,
        PRIMARY KEY (tenant, route_id),
        CHECK ((quiet_from IS NULL) = (quiet_to IS NULL))
    )
    """,
    """
    CREATE TABLE notification (
        tenant text NOT NULL,
        notification_id uuid NOT NULL,
        channel_id uuid NOT NULL,
        route_id uuid NOT NULL,
        alert_id uuid NOT NULL,
        account_id uuid NOT NULL,
        episode integer NOT NULL,
        change text NOT NULL,
        severity text NOT NULL,
        digest boolean NOT NULL,
        said jsonb NOT NULL,
        status text NOT NULL CHECK (status IN ('waiting', 'sent', 'given-up', 'overtaken')),
        created_at timestamptz NOT NULL,
        first_due_at timestamptz NOT NULL,
        due_at timestamptz,
        attempts integer NOT NULL,
        answer integer,
        problem text,
        finished_at timestamptz,
        forget_at timestamptz,
        PRIMARY KEY (tenant, notification_id),
        CHECK ((status = 'waiting') = (due_at IS NOT NULL))
    )
    """,
    """
    CREATE UNIQUE INDEX notification_once ON notification (tenant, alert_id, episode, channel_id, change)
    """,
    """
    CREATE TABLE storm (
        tenant text NOT NULL,
        storm_id uuid NOT NULL,
        cause text NOT NULL CHECK (cause IN ('burst', 'silence')),
        status text NOT NULL CHECK (status IN ('open', 'released', 'discarded')),
        began_at timestamptz NOT NULL,
        closed_at timestamptz,
        closed_by text,
        reason text,
        PRIMARY KEY (tenant, storm_id),
        CHECK ((status = 'open') = (closed_at IS NULL))
    )
    """,
    "CREATE UNIQUE INDEX storm_one_open ON storm (tenant, cause) WHERE status = 'open'",
    """
    CREATE TABLE held_alert (
        tenant text NOT NULL,
        alert_id uuid NOT NULL,
        account_id uuid NOT NULL,
        storm_id uuid NOT NULL,
        held_at timestamptz NOT NULL,
        PRIMARY KEY (tenant, alert_id),
        FOREIGN KEY (tenant, storm_id) REFERENCES storm (tenant, storm_id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX held_alert_by_storm ON held_alert (tenant, storm_id, alert_id)",
    """
    CREATE TABLE feed (
        tenant text NOT NULL,
        source text NOT NULL,
        silent boolean NOT NULL,
        told_at timestamptz NOT NULL,
        PRIMARY KEY (tenant, source)
    )
    """,
    # The log of changes in an order in which nothing comes in between later: that of transactions that are over.
    "ALTER TABLE alert_change ADD COLUMN xact bigint NOT NULL DEFAULT 0",
    "ALTER TABLE alert_change ALTER COLUMN xact SET DEFAULT CAST(CAST(pg_current_xact_id() AS text) AS bigint)",
    "CREATE INDEX alert_change_streamed ON alert_change (tenant, xact, alert_id, version)",
    "CREATE INDEX notification_due ON notification (due_at) WHERE due_at IS NOT NULL",
    "CREATE INDEX notification_forgotten ON notification (forget_at) WHERE forget_at IS NOT NULL",
    "CREATE INDEX notification_by_channel ON notification (tenant, channel_id, notification_id)",
)


def upgrade() -> None:
    """Create the tables."""
    for statement in _TABLES:
        op.execute(statement)
    protect(op, "channel", "channel_secret", "notification_route", "notification", "storm", "held_alert", "feed")
