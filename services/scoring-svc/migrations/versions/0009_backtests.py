"""Backtests and their reports, and what running ones have seen."""

from alembic import op

from bellwether_kit.db.migrations import protect

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_TABLES = (
    """
    CREATE TABLE backtest (
        tenant text NOT NULL,
        backtest_id uuid NOT NULL,
        status text NOT NULL CHECK (status IN ('queued', 'running', 'done', 'failed', 'stopped')),
        asked jsonb NOT NULL,
        cards jsonb NOT NULL,
        one_in integer NOT NULL CHECK (one_in > 0),
        position uuid,
        accounts integer NOT NULL,
        modelled integer,
        author text NOT NULL,
        asked_at timestamptz NOT NULL,
        finished_at timestamptz,
        due_at timestamptz,
        problem text,
        report jsonb,
        draft_id uuid,
        PRIMARY KEY (tenant, backtest_id),
        CHECK ((status IN ('queued', 'running')) = (due_at IS NOT NULL)),
        CHECK ((status = 'done') = (report IS NOT NULL))
    )
    """,
    "CREATE INDEX backtest_due ON backtest (due_at)",
    """
    CREATE TABLE backtest_case (
        tenant text NOT NULL,
        backtest_id uuid NOT NULL,
        day date NOT NULL,
        account_id uuid NOT NULL,
        lost boolean NOT NULL,
        score double precision NOT NULL,
        acts integer NOT NULL,
        silence double precision NOT NULL,
        repeats integer,
        last double precision,
        watched double precision,
        expected double precision,
        cap double precision,
        measures jsonb,
        sums jsonb,
        PRIMARY KEY (tenant, backtest_id, day, account_id),
        FOREIGN KEY (tenant, backtest_id) REFERENCES backtest (tenant, backtest_id) ON DELETE CASCADE
    )
    """,
)


def upgrade() -> None:
    """Create the tables."""
    for statement in _TABLES:
        op.execute(statement)
    protect(op, "backtest", "backtest_case")
