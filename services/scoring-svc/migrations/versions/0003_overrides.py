"""What caps a score and what a person says of it beside; accounts whose balances are to be summed anew."""

from alembic import op

from bellwether_kit.db.migrations import protect

revision = "0003"
down_revision = "0001"
branch_labels = None
depends_on = None

_STATEMENTS = (
    "ALTER TABLE account_health ADD COLUMN recount boolean NOT NULL DEFAULT false",
    "ALTER TABLE account_health ALTER COLUMN recount DROP DEFAULT",
    "ALTER TABLE health_history ADD COLUMN uncapped_score double precision",
    "ALTER TABLE health_history ADD COLUMN caps text[] NOT NULL DEFAULT '{}'",
    "ALTER TABLE health_history ALTER COLUMN caps DROP DEFAULT",
    """
    CREATE INDEX evidence_of_renewals ON evidence (tenant, account_id, kind, observed_at)
    WHERE kind IN ('renewal-declined', 'renewal-signed')
    """,
    # Memories of before know renewals only as far as rules of alerts asked for them.
    "ALTER TABLE account_health NO FORCE ROW LEVEL SECURITY",
    "UPDATE account_health SET stale = true",
    "ALTER TABLE account_health FORCE ROW LEVEL SECURITY",
    """
    CREATE TABLE health_override (
        tenant text NOT NULL,
        id uuid NOT NULL,
        account_id uuid NOT NULL,
        score double precision CHECK (score BETWEEN 0 AND 100),
        band text CHECK (band IN ('healthy', 'watch', 'at-risk')),
        reason text NOT NULL,
        author text NOT NULL,
        set_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        ended_at timestamptz,
        ended_by text,
        PRIMARY KEY (tenant, id),
        CHECK ((score IS NULL) <> (band IS NULL)),
        CHECK ((ended_at IS NULL) = (ended_by IS NULL))
    )
    """,
    "CREATE UNIQUE INDEX health_override_one ON health_override (tenant, account_id) WHERE ended_at IS NULL",
    "CREATE INDEX health_override_by_time ON health_override (tenant, account_id, set_at, id)",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
    protect(op, "health_override")
