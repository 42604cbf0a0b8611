"""Connections of source systems, what they delivered, and when each was last heard from."""

from alembic import op

from bellwether_kit.db.migrations import protect, reveal

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_TABLES = (
    """
    CREATE TABLE connection (
        tenant text NOT NULL,
        connection_id uuid NOT NULL,
        adapter text NOT NULL,
        source text NOT NULL CHECK (source <> ''),
        own_domains text[] NOT NULL,
        version integer NOT NULL CHECK (version > 0),
        created_at timestamptz NOT NULL,
        created_by text NOT NULL,
        disabled_at timestamptz,
        PRIMARY KEY (tenant, connection_id)
    )
    """,
    "CREATE UNIQUE INDEX connection_named ON connection (connection_id)",
    # Of a secret the sealed text, of an ingest key the digest: one must be read to check a signature, the other not.
    """
    CREATE TABLE connection_secret (
        tenant text NOT NULL,
        connection_id uuid NOT NULL,
        secret_id uuid NOT NULL,
        sealed bytea,
        digest bytea,
        created_at timestamptz NOT NULL,
        created_by text NOT NULL,
        PRIMARY KEY (tenant, connection_id, secret_id),
        FOREIGN KEY (tenant, connection_id) REFERENCES connection ON DELETE CASCADE,
        CHECK ((sealed IS NULL) <> (digest IS NULL))
    )
    """,
    "CREATE INDEX connection_secret_named ON connection_secret (connection_id)",
    """
    CREATE TABLE inbound_delivery (
        tenant text NOT NULL,
        delivery_id uuid NOT NULL,
        connection_id uuid NOT NULL,
        nonce bytea,
        received_at timestamptz NOT NULL,
        status text NOT NULL CHECK (status IN ('received', 'worked', 'failed')),
        body bytea,
        counts jsonb NOT NULL,
        unread jsonb NOT NULL,
        rejected jsonb NOT NULL,
        reason text,
        worked_at timestamptz,
        due_at timestamptz,
        forget_at timestamptz,
        PRIMARY KEY (tenant, delivery_id),
        FOREIGN KEY (tenant, connection_id) REFERENCES connection ON DELETE CASCADE
    )
    """,
    # What makes a replay show: one delivery per nonce of a connection.
    "CREATE UNIQUE INDEX inbound_delivery_once ON inbound_delivery (tenant, connection_id, nonce)",
    "CREATE INDEX inbound_delivery_by_time ON inbound_delivery (tenant, received_at, delivery_id)",
    "CREATE INDEX inbound_delivery_due ON inbound_delivery (due_at) WHERE due_at IS NOT NULL",
    "CREATE INDEX inbound_delivery_forgotten ON inbound_delivery (forget_at) WHERE forget_at IS NOT NULL",
    # One row per source, written at most once a minute; `arrivals` are its latest, a minute apart or more.
    """
    CREATE TABLE source_feed (
        tenant text NOT NULL,
        source text NOT NULL,
        first_heard_at timestamptz NOT NULL,
        last_heard_at timestamptz NOT NULL,
        arrivals timestamptz[] NOT NULL,
        silent_since timestamptz,
        due_at timestamptz,
        PRIMARY KEY (tenant, source)
    )
    """,
    "CREATE INDEX source_feed_due ON source_feed (due_at) WHERE due_at IS NOT NULL",
    # Several rows a day, so that requests at the same time need not wait for each other; a reader sums them.
    """
    CREATE TABLE source_day (
        tenant text NOT NULL,
        source text NOT NULL,
        day date NOT NULL,
        stripe smallint NOT NULL,
        activities bigint NOT NULL,
        PRIMARY KEY (tenant, source, day, stripe)
    ) WITH (fillfactor = 50)
    """,
)


def upgrade() -> None:
    """Create the tables; the API role finds a connection by its id, before it knows the tenant."""
    for statement in _TABLES:
        op.execute(statement)
    protect(op, "connection", "connection_secret", "inbound_delivery", "source_feed", "source_day")
    reveal(op, "connection", "connection_id")
    reveal(op, "connection_secret", "connection_id")
