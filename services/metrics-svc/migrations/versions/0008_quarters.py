"""Buckets of figures by quarter, so that a year of every member is few rows; versions of what is read together.

No worker of before may run beside it: what it counts meanwhile would be in the months and not in the quarters.
"""

from alembic import op

from bellwether_kit.db.migrations import protect

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table and fill it from the months."""
    op.execute(
        """
        CREATE TABLE figure_quarter (
            tenant text NOT NULL,
            scope text NOT NULL CHECK (scope IN ('all', 'owner', 'territory', 'tier')),
            member text NOT NULL,
            measure text NOT NULL,
            day date NOT NULL CHECK (extract(day FROM day) = 1 AND extract(month FROM day) IN (1, 4, 7, 10)),
            n integer NOT NULL,
            total numeric NOT NULL,
            PRIMARY KEY (tenant, scope, member, measure, day) INCLUDE (n, total)
        )
        """
    )
    op.execute("ALTER TABLE figure_month NO FORCE ROW LEVEL SECURITY")  # we own it and see every tenant, for once
    op.execute(
        """
        INSERT INTO figure_quarter (tenant, scope, member, measure, day, n, total)
        SELECT tenant, scope, member, measure, CAST(date_trunc('quarter', CAST(day AS timestamp)) AS date), sum(n),
               sum(total)
        FROM figure_month GROUP BY 1, 2, 3, 4, 5
        """
    )
    op.execute("ALTER TABLE figure_month FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE INDEX figure_quarter_by_measure ON figure_quarter (tenant, scope, measure, day) "
        "INCLUDE (member, n, total)"
    )
    op.execute(
        "CREATE TABLE figure_version (tenant text, part text, version bigint NOT NULL, PRIMARY KEY (tenant, part))"
    )
    protect(op, "figure_quarter", "figure_version")
