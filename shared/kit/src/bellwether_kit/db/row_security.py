"""Row security as migrations write it: who may touch which rows of a service's tables, and as whom."""

from alembic.operations import Operations


def _service(op: Operations) -> str:
    """The service's role prefix: that of the role that runs the migration (``metrics_owner`` → ``metrics``)."""
    role = op.get_bind().exec_driver_sql("SELECT current_user").scalar_one()
    return str(role).removesuffix("_owner")


def protect(op: Operations, *tables: str) -> None:
    """Force row security on tenant ``tables``: the API role sees its transaction's tenant, the worker role all."""
    service = _service(op)
    for table in tables:
        _force(op, table)
        mine = "tenant = current_setting('app.tenant', true)"
        op.execute(
            f"CREATE POLICY tenant_of_the_request ON {table} TO {service}_api USING ({mine}) WITH CHECK ({mine})"
        )
        op.execute(f"CREATE POLICY every_tenant ON {table} TO {service}_worker USING (true) WITH CHECK (true)")
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {service}_api, {service}_worker")


def reveal(op: Operations, table: str, column: str) -> None:
    """Let the API role read, of a protected ``table``, the rows whose uuid ``column`` the transaction names.

    For requests whose tenant is found by an id that they know: ``set_config('app.<column>', id, true)``.
    """
    named = f"{column} = NULLIF(current_setting('app.{column}', true), '')::uuid"
    op.execute(f"CREATE POLICY named_by_the_request ON {table} FOR SELECT TO {_service(op)}_api USING ({named})")


def _force(op: Operations, table: str) -> None:
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def create_kit_tables(op: Operations) -> None:
    """Create the outbox, its streams, inbox, dead letters and idempotency keys (first form), protected.

    Later forms are new functions: a migration that has run must not change.
    """
    for statement in _FIRST_FORM:
        op.execute(statement)
    protect(op, "outbox", "outbox_stream", "idempotency")
    service = _service(op)
    # The API may only tell how old the backlog is, which is no tenant's secret, to refuse work it can't deliver.
    op.execute(f"REVOKE SELECT, UPDATE, DELETE ON outbox FROM {service}_api")
    op.execute(f"GRANT SELECT (created_at, published_at) ON outbox TO {service}_api")
    op.execute(f"CREATE POLICY backlog ON outbox FOR SELECT TO {service}_api USING (true)")
    for table in ("inbox", "dead_letter"):
        _force(op, table)
        op.execute(f"CREATE POLICY every_tenant ON {table} TO {service}_worker USING (true) WITH CHECK (true)")
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {service}_worker")


def add_replays(op: Operations) -> None:
    """Let dead letters be tried again (second form): who asked, when it is due, and what came of it."""
    op.execute(
        """
        ALTER TABLE dead_letter
            ADD COLUMN timestamp bigint,
            ADD COLUMN replay_asked_at timestamptz,
            ADD COLUMN replay_asked_by text,
            ADD COLUMN replay_reason text,
            ADD COLUMN replay_due_at timestamptz,
            ADD COLUMN replay_rehearsal boolean NOT NULL DEFAULT false,
            ADD COLUMN replay_outcome text
                CHECK (replay_outcome IN ('done', 'failed', 'would-work', 'would-fail', 'discarded')),
            ADD COLUMN replay_tries integer NOT NULL DEFAULT 0,
            ADD COLUMN replays jsonb NOT NULL DEFAULT '[]'
        """
    )
    op.execute("CREATE INDEX ix_dead_letter_replay_due_at ON dead_letter (replay_due_at)")


_FIRST_FORM = (
    """
    CREATE TABLE outbox (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        event_id uuid NOT NULL UNIQUE,
        tenant text NOT NULL,
        topic text NOT NULL,
        key text NOT NULL,
        type text NOT NULL,
        sequence bigint NOT NULL,
        value bytea,
        headers jsonb NOT NULL,
        created_at timestamptz NOT NULL,
        published_at timestamptz
    )
    """,
    "CREATE INDEX ix_outbox_unpublished ON outbox (id) WHERE published_at IS NULL",
    """
    CREATE TABLE outbox_stream (
        tenant text NOT NULL, topic text NOT NULL, key text NOT NULL, sequence bigint NOT NULL,
        PRIMARY KEY (tenant, topic, key)
    )
    """,
    """
    CREATE TABLE inbox (
        consumer text NOT NULL, event_id uuid NOT NULL, received_at timestamptz NOT NULL,
        PRIMARY KEY (consumer, event_id)
    )
    """,
    "CREATE INDEX ix_inbox_received_at ON inbox (received_at)",
    """
    CREATE TABLE dead_letter (
        id uuid PRIMARY KEY,
        consumer text NOT NULL,
        topic text NOT NULL,
        partition integer NOT NULL,
        "offset" bigint NOT NULL,
        key bytea,
        value bytea,
        headers jsonb NOT NULL,
        error_type text NOT NULL,
        error text NOT NULL,
        received_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE idempotency (
        tenant text NOT NULL, route text NOT NULL, key text NOT NULL, request_hash text NOT NULL,
        status integer NOT NULL, headers jsonb NOT NULL, body bytea NOT NULL, created_at timestamptz NOT NULL,
        PRIMARY KEY (tenant, route, key)
    )
    """,
    "CREATE INDEX ix_idempotency_created_at ON idempotency (created_at)",
)
