"""What alert rules look at beside evidence and measures: people who matter, plans with late actions, whitespace.

Stakeholders and plans are kept by their own ids, so that events in any order come to the same; `situation` is what they
come to per account, and the only one of the three that an evaluation reads. Beside them: verdicts on alerts, and the
indexes by which people look through alerts.
"""

from alembic import op

from bellwether_kit.db.migrations import protect

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_STATEMENTS = (
    "ALTER TABLE account ADD COLUMN whitespace double precision",
    """
    CREATE TABLE stakeholder (
        tenant text NOT NULL,
        stakeholder_id uuid NOT NULL,
        account_id uuid NOT NULL,
        version integer NOT NULL,
        removed boolean NOT NULL,
        active boolean NOT NULL,
        veto boolean NOT NULL,
        sentiment text NOT NULL,
        PRIMARY KEY (tenant, stakeholder_id)
    )
    """,
    "CREATE INDEX stakeholder_by_account ON stakeholder (tenant, account_id) WHERE NOT removed",
    """
    CREATE TABLE plan_state (
        tenant text NOT NULL,
        plan_id uuid NOT NULL,
        account_id uuid NOT NULL,
        active boolean NOT NULL,
        overdue date[] NOT NULL,
        measured_at timestamptz NOT NULL,
        PRIMARY KEY (tenant, plan_id)
    )
    """,
    "CREATE INDEX plan_state_by_account ON plan_state (tenant, account_id)",
    """
    CREATE TABLE situation (
        tenant text NOT NULL,
        account_id uuid NOT NULL,
        champions integer NOT NULL,
        champions_lost integer NOT NULL,
        opposing_vetoes integer NOT NULL,
        thread_share double precision,
        thread_at timestamptz,
        overdue date[] NOT NULL,
        PRIMARY KEY (tenant, account_id)
    )
    """,
    """
    CREATE TABLE alert_verdict (
        tenant text NOT NULL,
        alert_id uuid NOT NULL,
        verdict text NOT NULL CHECK (verdict IN ('true-alarm', 'false-alarm')),
        by text NOT NULL,
        note text NOT NULL,
        at timestamptz NOT NULL,
        rules text[] NOT NULL,
        PRIMARY KEY (tenant, alert_id)
    )
    """,
    # What people look through: what is unresolved, most pressing first; an account's alerts; what is theirs.
    "CREATE INDEX alert_pressing ON alert (tenant, priority, id) WHERE status <> 'resolved'",
    "CREATE INDEX alert_by_account ON alert (tenant, account_id, opened_at, id)",
    "CREATE INDEX alert_by_owner ON alert (tenant, owner_id, priority, id) WHERE status <> 'resolved'",
    "CREATE INDEX alert_by_assignee ON alert (tenant, assignee_id, priority, id) WHERE status <> 'resolved'",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
    protect(op, "stakeholder", "plan_state", "situation", "alert_verdict")
