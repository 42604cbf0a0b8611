"""Accounts (projection), plans, actions, plays, the alerts last seen, and settings for plays."""

from alembic import op

from bellwether_kit.db.migrations import create_kit_tables, protect

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = """
CREATE TABLE account (
    tenant text NOT NULL,
    account_id uuid NOT NULL,
    name text NOT NULL,
    tier text,
    owner_id uuid,
    version bigint NOT NULL,
    removed_at timestamptz,
    PRIMARY KEY (tenant, account_id)
);

CREATE TABLE plan (
    tenant text NOT NULL,
    plan_id uuid NOT NULL,
    account_id uuid NOT NULL,
    title text NOT NULL,
    starts_on date NOT NULL,
    years smallint NOT NULL CONSTRAINT plan_years CHECK (years BETWEEN 1 AND 3),
    goals text[] NOT NULL,
    status text NOT NULL CONSTRAINT plan_status CHECK (status IN ('draft', 'active', 'closed')),
    revenue_mining numeric,
    revenue_farming numeric,
    revenue_currency text,
    actions_total integer NOT NULL,
    actions_done integer NOT NULL,
    actions_overdue integer NOT NULL,
    progress double precision NOT NULL,
    measured_at timestamptz,
    next_due_at timestamptz,
    version integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, plan_id)
);
CREATE INDEX plan_by_account ON plan (tenant, account_id);
CREATE INDEX plan_by_age ON plan (tenant, created_at, plan_id);
CREATE INDEX plan_due ON plan (next_due_at) WHERE next_due_at IS NOT NULL;

CREATE TABLE play (
    tenant text NOT NULL,
    play_id uuid NOT NULL,
    account_id uuid NOT NULL,
    play text NOT NULL,
    alert_id uuid,
    why text NOT NULL,
    status text NOT NULL CONSTRAINT play_status CHECK (status IN ('open', 'closed')),
    accountable_id uuid NOT NULL,
    taken_by uuid,
    taken_at timestamptz,
    opened_at timestamptz NOT NULL,
    closed_at timestamptz,
    close_reason text,
    close_note text,
    alert_resolved_at timestamptz,
    next_due_at timestamptz,
    version integer NOT NULL,
    PRIMARY KEY (tenant, play_id),
    CONSTRAINT play_closed_at CHECK ((status = 'closed') = (closed_at IS NOT NULL))
);
-- At most one open play of a kind per account, whoever opens it.
CREATE UNIQUE INDEX play_one_open ON play (tenant, account_id, play) WHERE status = 'open';
CREATE INDEX play_by_account ON play (tenant, account_id, opened_at);
CREATE INDEX play_by_age ON play (tenant, opened_at, play_id);
CREATE INDEX play_due ON play (next_due_at) WHERE next_due_at IS NOT NULL;

CREATE TABLE action (
    tenant text NOT NULL,
    action_id uuid NOT NULL,
    account_id uuid NOT NULL,
    plan_id uuid,
    play_id uuid,
    position integer NOT NULL,
    title text NOT NULL,
    why text NOT NULL,
    due_on date NOT NULL,
    accountable_id uuid NOT NULL,
    responsible_ids uuid[] NOT NULL,
    consulted_ids uuid[] NOT NULL,
    informed_ids uuid[] NOT NULL,
    depends_on uuid[] NOT NULL,
    success_measure text NOT NULL,
    status text NOT NULL,
    reported_for date,
    version integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, action_id),
    CONSTRAINT action_status CHECK (status IN ('open', 'in-progress', 'blocked', 'done')),
    CONSTRAINT action_has_responsible CHECK (cardinality(responsible_ids) >= 1),
    CONSTRAINT action_has_one_home CHECK (num_nonnulls(plan_id, play_id) = 1)
);
CREATE INDEX action_of_plan ON action (tenant, plan_id, position);
CREATE INDEX action_of_play ON action (tenant, play_id, position);

CREATE TABLE alert_seen (
    tenant text NOT NULL,
    alert_id uuid NOT NULL,
    account_id uuid NOT NULL,
    sequence bigint NOT NULL,
    open boolean NOT NULL,
    play text,
    PRIMARY KEY (tenant, alert_id)
);
CREATE INDEX alert_seen_by_account ON alert_seen (tenant, account_id);

CREATE TABLE play_setting (
    tenant text NOT NULL PRIMARY KEY,
    fallback_owner_id uuid NOT NULL,
    reason text NOT NULL,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL,
    version integer NOT NULL
);
"""


def upgrade() -> None:
    for statement in _TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)
    create_kit_tables(op)
    protect(op, "account", "plan", "play", "action", "alert_seen", "play_setting")
