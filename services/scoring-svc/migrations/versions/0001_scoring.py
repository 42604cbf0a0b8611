"""The ledger, account health with its history, alerts with their timelines, configuration, projections."""

from alembic import op

from bellwether_kit.db.migrations import create_kit_tables, protect

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = (
    """
    CREATE TABLE scorecard (
        tenant text NOT NULL,
        name text NOT NULL,
        version integer NOT NULL CHECK (version > 0),
        state text NOT NULL CHECK (state IN ('draft', 'published', 'retired')),
        configuration jsonb NOT NULL,
        author text NOT NULL,
        reason text NOT NULL,
        changed_at timestamptz NOT NULL,
        PRIMARY KEY (tenant, name, version)
    )
    """,
    """
    CREATE TABLE alert_rule (
        tenant text NOT NULL,
        rule text NOT NULL,
        version integer NOT NULL CHECK (version > 0),
        configuration jsonb NOT NULL,
        author text NOT NULL,
        reason text NOT NULL,
        changed_at timestamptz NOT NULL,
        PRIMARY KEY (tenant, rule, version)
    )
    """,
    """
    CREATE TABLE evidence (
        tenant text NOT NULL,
        evidence_id uuid NOT NULL,
        account_id uuid NOT NULL,
        observed_at timestamptz NOT NULL,
        weight double precision NOT NULL,
        magnitude double precision NOT NULL,
        revision integer NOT NULL,
        dimension smallint NOT NULL CHECK (dimension BETWEEN -1 AND 2),
        retracted boolean NOT NULL,
        counted boolean NOT NULL,
        kind text NOT NULL,
        PRIMARY KEY (tenant, evidence_id)
    )
    """,
    """
    CREATE INDEX evidence_by_time ON evidence (tenant, account_id, dimension, observed_at) WHERE NOT retracted
    """,
    """
    CREATE INDEX evidence_pending ON evidence (tenant, account_id, observed_at)
    WHERE NOT counted AND NOT retracted
    """,
    """
    CREATE TABLE account (
        tenant text NOT NULL,
        account_id uuid NOT NULL,
        version integer NOT NULL,
        removed boolean NOT NULL,
        name text NOT NULL,
        tier text,
        owner_id uuid,
        cadence_days double precision,
        value_amount double precision NOT NULL,
        value_currency text,
        renewal_at timestamptz,
        known_since timestamptz,
        PRIMARY KEY (tenant, account_id)
    )
    """,
    "CREATE INDEX account_by_owner ON account (tenant, owner_id)",
    "CREATE INDEX account_by_value ON account (tenant, value_amount, account_id)",
    """
    CREATE TABLE measure (
        tenant text NOT NULL,
        account_id uuid NOT NULL,
        last_two_way_at timestamptz,
        touch_at timestamptz,
        touch_sequence bigint,
        coverage double precision,
        coverage_at timestamptz,
        satisfaction double precision,
        satisfaction_at timestamptz,
        plan double precision,
        plan_at timestamptz,
        PRIMARY KEY (tenant, account_id)
    )
    """,
    """
    CREATE TABLE account_health (
        tenant text NOT NULL,
        account_id uuid NOT NULL,
        next_evaluation_at timestamptz,
        evaluated_at timestamptz,
        score double precision CHECK (score BETWEEN 0 AND 100),
        change double precision,
        confidence double precision,
        sequence bigint NOT NULL,
        scorecard_version integer NOT NULL,
        stale boolean NOT NULL,
        band text CHECK (band IN ('healthy', 'watch', 'at-risk', 'unknown')),
        scorecard text NOT NULL,
        state bytea,
        PRIMARY KEY (tenant, account_id)
    ) WITH (fillfactor = 70)
    """,
    "CREATE INDEX account_health_due ON account_health (next_evaluation_at)",
    "CREATE INDEX account_health_by_score ON account_health (tenant, score, account_id)",
    """
    CREATE TABLE health_history (
        tenant text NOT NULL,
        account_id uuid NOT NULL,
        at timestamptz NOT NULL,
        score double precision NOT NULL,
        confidence double precision NOT NULL,
        scorecard_version integer NOT NULL,
        band text NOT NULL,
        scorecard text NOT NULL,
        measures double precision[] NOT NULL,
        PRIMARY KEY (tenant, account_id, at)
    )
    """,
    """
    CREATE TABLE alert (
        tenant text NOT NULL,
        id uuid NOT NULL,
        account_id uuid NOT NULL,
        version integer NOT NULL,
        kind text NOT NULL,
        status text NOT NULL CHECK (status IN ('open', 'acknowledged', 'snoozed', 'resolved')),
        severity text NOT NULL CHECK (severity IN ('low', 'medium', 'high', 'critical')),
        current boolean NOT NULL,
        episode integer NOT NULL CHECK (episode > 0),
        firings integer NOT NULL,
        priority double precision NOT NULL,
        opened_at timestamptz NOT NULL,
        last_fired_at timestamptz NOT NULL,
        acknowledged_at timestamptz,
        acknowledged_by text,
        snoozed_until timestamptz,
        resolved_at timestamptz,
        resolved_by text,
        resolution text,
        assignee_id uuid,
        owner_id uuid,
        reasons jsonb NOT NULL,
        said jsonb NOT NULL,
        PRIMARY KEY (tenant, id),
        CHECK (current OR status = 'resolved'),
        CHECK ((status = 'resolved') = (resolved_at IS NOT NULL)),
        CHECK ((status = 'snoozed') = (snoozed_until IS NOT NULL))
    )
    """,
    """
    CREATE UNIQUE INDEX alert_one_unresolved ON alert (tenant, account_id, kind) WHERE status <> 'resolved'
    """,
    "CREATE UNIQUE INDEX alert_one_current ON alert (tenant, account_id, kind) WHERE current",
    "CREATE INDEX alert_by_opened_at ON alert (tenant, opened_at, id)",
    "CREATE INDEX alert_by_priority ON alert (tenant, priority, id)",
    """
    CREATE TABLE alert_change (
        tenant text NOT NULL,
        alert_id uuid NOT NULL,
        version integer NOT NULL,
        at timestamptz NOT NULL,
        change text NOT NULL,
        by text NOT NULL,
        detail jsonb NOT NULL,
        PRIMARY KEY (tenant, alert_id, version)
    )
    """,
)


def upgrade() -> None:
    for statement in _TABLES:
        op.execute(statement)
    protect(
        op,
        "scorecard",
        "alert_rule",
        "evidence",
        "account",
        "measure",
        "account_health",
        "health_history",
        "alert",
        "alert_change",
    )
    create_kit_tables(op)
