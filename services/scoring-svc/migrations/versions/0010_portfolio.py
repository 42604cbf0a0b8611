"""Portfolios are read along indexes, whatever they are sorted by and narrowed to.

When an account last changed and its tier stand with its health, where a page or a count finds them without a join.
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_STATEMENTS = (
    "ALTER TABLE account_health ADD COLUMN changed_at timestamptz, ADD COLUMN tier text",
    "ALTER TABLE account_health NO FORCE ROW LEVEL SECURITY",
    "ALTER TABLE account NO FORCE ROW LEVEL SECURITY",
    "ALTER TABLE health_history NO FORCE ROW LEVEL SECURITY",
    """
    UPDATE account_health AS h SET changed_at = p.at, tier = p.tier
    FROM (
        SELECT tenant, account_id, a.tier, (
            SELECT max(at) FROM health_history AS y WHERE y.tenant = x.tenant AND y.account_id = x.account_id
        ) AS at
        FROM account_health AS x LEFT JOIN account AS a USING (tenant, account_id)
    ) AS p
    WHERE h.tenant = p.tenant AND h.account_id = p.account_id
    """,
    "ALTER TABLE account FORCE ROW LEVEL SECURITY",
    "ALTER TABLE health_history FORCE ROW LEVEL SECURITY",
    "ALTER TABLE account_health FORCE ROW LEVEL SECURITY",
    "DROP INDEX account_health_by_score",
    # Every evaluation writes every index: what is looked for less often is carried by these two.
    *(
        f"CREATE INDEX account_health_by_{key} ON account_health (tenant, band, {key}, account_id) "
        "INCLUDE (tier, confidence, changed_at)"
        for key in ("score", "change")
    ),
    # Counts and the order by confidence read the index alone where the table's pages are known to be old.
    "ALTER TABLE account_health SET (autovacuum_vacuum_scale_factor = 0.05)",
    "CREATE INDEX account_by_industry ON account (tenant, industry, account_id)",
    "CREATE INDEX account_by_territory ON account (tenant, territory, account_id)",
    "CREATE INDEX health_override_expiring ON health_override (tenant, expires_at) WHERE ended_at IS NULL",
)


def upgrade() -> None:
    """Bring the tables into this shape."""
    for statement in _STATEMENTS:
        op.execute(statement)
