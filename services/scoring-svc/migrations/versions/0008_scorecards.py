"""Scorecards with drafts and segments; what an account's segment goes by; runs that score accounts anew."""

from alembic import op

from bellwether_kit.db.migrations import protect

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_CHANGES = (
    "ALTER TABLE account ADD COLUMN industry text, ADD COLUMN territory text",
    "ALTER TABLE account_health DROP COLUMN recount",  # a run sums an account anew in one step
    "DROP TABLE scorecard",  # nothing could ever write a row of it
    """
    CREATE TABLE scorecard (
        tenant text NOT NULL,
        id uuid NOT NULL,
        name text NOT NULL,
        version integer NOT NULL CHECK (version > 0),
        state text NOT NULL CHECK (state IN ('draft', 'published', 'retired')),
        revision integer NOT NULL CHECK (revision > 0),
        segment jsonb NOT NULL,
        configuration jsonb NOT NULL,
        author text NOT NULL,
        changed_at timestamptz NOT NULL,
        reason text,
        published_by text,
        published_at timestamptz,
        retired_by text,
        retired_at timestamptz,
        PRIMARY KEY (tenant, id),
        CONSTRAINT scorecard_version UNIQUE (tenant, name, version)
    )
    """,
    "CREATE UNIQUE INDEX scorecard_in_force ON scorecard (tenant, name) WHERE state = 'published'",
    """
    CREATE TABLE rescoring_run (
        tenant text NOT NULL,
        id uuid NOT NULL,
        cause text NOT NULL CHECK (cause IN ('publish', 'retire', 'rebuild', 'audit')),
        state text NOT NULL CHECK (state IN ('running', 'stopped', 'superseded', 'done')),
        scorecard_id uuid,
        accounts integer NOT NULL,
        looked_at integer NOT NULL,
        rescored integer NOT NULL,
        drift double precision NOT NULL,
        drifted integer NOT NULL,
        started_by text NOT NULL,
        reason text,
        started_at timestamptz NOT NULL,
        ended_by text,
        ended_at timestamptz,
        position uuid,
        next_at timestamptz,
        PRIMARY KEY (tenant, id)
    )
    """,
    "CREATE INDEX rescoring_run_due ON rescoring_run (next_at)",
    "CREATE UNIQUE INDEX rescoring_run_running ON rescoring_run (tenant, (cause = 'audit')) WHERE state = 'running'",
)


def upgrade() -> None:
    """Bring the tables into this shape."""
    for statement in _CHANGES:
        op.execute(statement)
    protect(op, "scorecard", "rescoring_run")
