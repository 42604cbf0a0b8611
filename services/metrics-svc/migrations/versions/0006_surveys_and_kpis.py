"""Survey answers, agreed KPIs and reported figures."""

from alembic import op

from bellwether_kit.db.migrations import protect

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# What every record of a source has; its id is a UUIDv5 of what identifies it.
_RECORD = """
    tenant text NOT NULL,
    id uuid NOT NULL,
    source text NOT NULL CHECK (source <> ''),
    revision bigint NOT NULL CHECK (revision >= 0),
    account_id uuid,
    reference_kind text NOT NULL CHECK (reference_kind IN ('id', 'external', 'domain')),
    reference_source text NOT NULL,
    reference_value text NOT NULL,
    recorded_at timestamptz NOT NULL,
    author text NOT NULL,
    PRIMARY KEY (tenant, id)
"""

_TABLES = (
    f"""
    CREATE TABLE survey_response (
        external_id text NOT NULL CHECK (external_id <> ''),
        answered_at timestamptz NOT NULL,
        method text NOT NULL,
        question text,
        scale_low integer NOT NULL,
        scale_high integer NOT NULL CHECK (scale_high > scale_low),
        score integer NOT NULL CHECK (score BETWEEN scale_low AND scale_high),
        worth numeric NOT NULL CHECK (worth BETWEEN -1 AND 1),
        respondent_id uuid,
        {_RECORD}
    )
    """,
    "CREATE INDEX survey_response_by_account ON survey_response (tenant, account_id, answered_at, id)",
    "CREATE INDEX survey_response_by_time ON survey_response (tenant, answered_at, id)",
    """
    CREATE INDEX survey_response_unmatched ON survey_response
        (tenant, reference_kind, reference_source, reference_value) WHERE account_id IS NULL
    """,
    """
    CREATE TABLE satisfaction (
        tenant text NOT NULL,
        account_id uuid NOT NULL,
        metric text NOT NULL CHECK (metric IN ('csat', 'nps')),
        method text,
        value double precision,
        standard_error double precision CHECK (standard_error >= 0),
        n integer NOT NULL CHECK (n >= 0),
        measured_at timestamptz NOT NULL,
        PRIMARY KEY (tenant, account_id, metric)
    )
    """,
    "ALTER TABLE account ADD satisfaction_due_at timestamptz",
    "CREATE INDEX account_satisfaction_due ON account (satisfaction_due_at) WHERE satisfaction_due_at IS NOT NULL",
    f"""
    CREATE TABLE reported_figure (
        measure text NOT NULL,
        period_start date NOT NULL,
        period_end date NOT NULL CHECK (period_end >= period_start),
        value numeric NOT NULL,
        unit text NOT NULL,
        money boolean NOT NULL,
        {_RECORD}
    )
    """,
    "CREATE INDEX reported_figure_by_account ON reported_figure (tenant, account_id, period_end, id)",
    "CREATE INDEX reported_figure_by_time ON reported_figure (tenant, period_end, id)",
    """
    CREATE INDEX reported_figure_unmatched ON reported_figure
        (tenant, reference_kind, reference_source, reference_value) WHERE account_id IS NULL
    """,
    """
    CREATE TABLE kpi (
        tenant text NOT NULL,
        kpi_id uuid NOT NULL,
        account_id uuid NOT NULL,
        code text NOT NULL,
        kind text NOT NULL CHECK (kind IN ('kpi', 'sla')),
        name text NOT NULL,
        unit text NOT NULL,
        direction text NOT NULL CHECK (direction IN ('higher', 'lower', 'range')),
        target numeric NOT NULL,
        target_high numeric CHECK (target_high >= target),
        tolerance numeric NOT NULL CHECK (tolerance >= 0),
        owner_id uuid,
        agreed_by uuid,
        agreed_on date,
        valid_from date NOT NULL,
        valid_to date CHECK (valid_to >= valid_from),
        stale_after_days integer NOT NULL CHECK (stale_after_days > 0),
        version integer NOT NULL CHECK (version > 0),
        author text NOT NULL,
        changed_at timestamptz NOT NULL,
        closed_at timestamptz,
        PRIMARY KEY (tenant, kpi_id),
        CHECK ((direction = 'range') = (target_high IS NOT NULL))
    )
    """,
    "CREATE UNIQUE INDEX kpi_open ON kpi (tenant, account_id, code) WHERE closed_at IS NULL",
    "CREATE INDEX kpi_by_account ON kpi (tenant, account_id, kpi_id)",
    """
    CREATE TABLE kpi_version (
        tenant text NOT NULL,
        kpi_id uuid NOT NULL,
        version integer NOT NULL,
        terms jsonb NOT NULL,
        author text NOT NULL,
        changed_at timestamptz NOT NULL,
        PRIMARY KEY (tenant, kpi_id, version)
    )
    """,
    """
    CREATE TABLE kpi_actual (
        tenant text NOT NULL,
        kpi_id uuid NOT NULL,
        day date NOT NULL,
        source text NOT NULL CHECK (source <> ''),
        revision bigint NOT NULL CHECK (revision >= 0),
        value numeric NOT NULL,
        recorded_at timestamptz NOT NULL,
        author text NOT NULL,
        PRIMARY KEY (tenant, kpi_id, day, source)
    )
    """,
)


def upgrade() -> None:
    for statement in _TABLES:
        op.execute(statement)
    protect(op, "survey_response", "satisfaction", "reported_figure", "kpi", "kpi_version", "kpi_actual")
