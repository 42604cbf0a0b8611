"""Day buckets of figures, by account, owner, territory and tier; targets; balances of accounts and people."""

from alembic import op

from bellwether_kit.db.migrations import protect

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_TABLES = (
    # Marks are only appended and deleted; every one is due at once, in the order of its number.
    """
    CREATE TABLE figure_mark (
        tenant text NOT NULL,
        mark_id bigint GENERATED ALWAYS AS IDENTITY,
        account_id uuid NOT NULL,
        day date,
        due_at timestamptz NOT NULL DEFAULT 'epoch',
        PRIMARY KEY (tenant, mark_id)
    )
    """,
    "CREATE INDEX figure_mark_due ON figure_mark (due_at, mark_id)",
    """
    CREATE TABLE figure_account (
        tenant text NOT NULL,
        account_id uuid NOT NULL,
        members text[] NOT NULL CHECK (cardinality(members) IN (0, 4)),
        PRIMARY KEY (tenant, account_id)
    )
    """,
    """
    CREATE TABLE figure_account_day (
        tenant text NOT NULL,
        account_id uuid NOT NULL,
        day date NOT NULL,
        measure text NOT NULL,
        n integer NOT NULL,
        total numeric NOT NULL,
        PRIMARY KEY (tenant, account_id, day, measure) INCLUDE (n, total)
    )
    """,
    """
    CREATE TABLE figure_day (
        tenant text NOT NULL,
        scope text NOT NULL CHECK (scope IN ('all', 'owner', 'territory', 'tier')),
        member text NOT NULL,
        measure text NOT NULL,
        day date NOT NULL,
        n integer NOT NULL,
        total numeric NOT NULL,
        PRIMARY KEY (tenant, scope, member, measure, day) INCLUDE (n, total)
    )
    """,
    "CREATE INDEX figure_day_by_measure ON figure_day (tenant, scope, measure, day) INCLUDE (member, n, total)",
    """
    CREATE TABLE figure_month (
        tenant text NOT NULL,
        scope text NOT NULL CHECK (scope IN ('all', 'owner', 'territory', 'tier')),
        member text NOT NULL,
        measure text NOT NULL,
        day date NOT NULL CHECK (extract(day FROM day) = 1),
        n integer NOT NULL,
        total numeric NOT NULL,
        PRIMARY KEY (tenant, scope, member, measure, day) INCLUDE (n, total)
    )
    """,
    "CREATE INDEX figure_month_by_measure ON figure_month (tenant, scope, measure, day) INCLUDE (member, n, total)",
    """
    CREATE TABLE figure_group (
        tenant text NOT NULL,
        scope text NOT NULL CHECK (scope IN ('all', 'owner', 'territory', 'tier')),
        member text NOT NULL,
        accounts integer NOT NULL,
        PRIMARY KEY (tenant, scope, member) INCLUDE (accounts)
    )
    """,
    """
    CREATE TABLE target (
        tenant text NOT NULL,
        metric text NOT NULL,
        scope text NOT NULL CHECK (scope IN ('all', 'owner', 'territory', 'tier', 'account')),
        member text NOT NULL,
        applies_from date NOT NULL,
        version integer NOT NULL CHECK (version > 0),
        value double precision,
        author text NOT NULL,
        reason text NOT NULL,
        set_at timestamptz NOT NULL,
        PRIMARY KEY (tenant, metric, scope, member, applies_from, version)
    )
    """,
    """
    CREATE TABLE standing (
        tenant text NOT NULL,
        account_id uuid NOT NULL,
        due_at timestamptz NOT NULL,
        owner_id uuid,
        territory text,
        tier text,
        removed boolean NOT NULL DEFAULT true,
        balances numeric[] NOT NULL DEFAULT '{}',
        jeopardy double precision NOT NULL DEFAULT 0 CHECK (jeopardy >= 0),
        reasons jsonb NOT NULL DEFAULT '[]',
        computed_at timestamptz,
        PRIMARY KEY (tenant, account_id)
    )
    """,
    "CREATE INDEX standing_due ON standing (due_at)",
    "CREATE INDEX standing_in_jeopardy ON standing (tenant, jeopardy DESC, account_id) WHERE jeopardy > 0",
    """
    CREATE INDEX standing_in_jeopardy_by_owner ON standing (tenant, owner_id, jeopardy DESC, account_id)
    WHERE jeopardy > 0
    """,
    """
    CREATE TABLE bet (
        tenant text NOT NULL,
        scope text NOT NULL CHECK (scope IN ('all', 'owner', 'territory')),
        days integer NOT NULL CHECK (days > 0),
        member text NOT NULL,
        accounts integer NOT NULL CHECK (accounts > 0),
        mean double precision NOT NULL,
        low double precision,
        high double precision,
        kinds jsonb NOT NULL DEFAULT '[]',
        computed_at timestamptz NOT NULL,
        PRIMARY KEY (tenant, scope, days, member)
    )
    """,
    """
    CREATE TABLE bet_due (
        tenant text NOT NULL,
        due_at timestamptz,
        PRIMARY KEY (tenant)
    )
    """,
    "CREATE INDEX bet_due_due ON bet_due (due_at) WHERE due_at IS NOT NULL",
)


def upgrade() -> None:
    for statement in _TABLES:
        op.execute(statement)
    _mark_what_is_there()
    protect(
        op,
        "figure_mark",
        "figure_account",
        "figure_account_day",
        "figure_day",
        "figure_month",
        "figure_group",
        "target",
        "standing",
        "bet",
        "bet_due",
    )


def _mark_what_is_there() -> None:
    """Have the worker compute the figures of everything known so far."""
    tables = ("account", "activity", "evidence")
    for table in tables:
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute("""
        INSERT INTO figure_mark (tenant, account_id, day)
        SELECT tenant, account_id, CAST(NULL AS date) FROM account
        UNION ALL
        SELECT tenant, account_id, CAST(occurred_at AT TIME ZONE 'UTC' AS date) FROM activity
        WHERE account_id IS NOT NULL GROUP BY 1, 2, 3
        UNION ALL
        SELECT tenant, account_id, CAST(observed_at AT TIME ZONE 'UTC' AS date) FROM evidence GROUP BY 1, 2, 3
    """)
    for table in tables:
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
