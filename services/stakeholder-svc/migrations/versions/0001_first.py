"""Accounts (projection), people, their external ids, what is left of erased ones, coverage and its policy."""

from alembic import op

from bellwether_kit.db.migrations import create_kit_tables, protect

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = """
CREATE TABLE account (
    tenant text NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    version bigint NOT NULL,
    removed_at timestamptz,
    PRIMARY KEY (tenant, id)
);

CREATE TABLE account_external_id (
    tenant text NOT NULL,
    source text NOT NULL,
    external_id text NOT NULL,
    account_id uuid NOT NULL,
    PRIMARY KEY (tenant, source, external_id, account_id)
);
CREATE INDEX account_external_id_by_account ON account_external_id (tenant, account_id);

CREATE TABLE person (
    tenant text NOT NULL,
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    version integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    name text NOT NULL,
    title text,
    email text,
    buying_centre text,
    reports_to uuid,
    decision_roles text[] NOT NULL,
    budget_control boolean NOT NULL,
    veto boolean NOT NULL,
    sentiment text NOT NULL,
    sentiment_since date,
    assessed_by uuid,
    certainty text NOT NULL,
    status text NOT NULL,
    priorities text[] NOT NULL,
    confidential_notes text,
    power smallint CONSTRAINT person_power CHECK (power BETWEEN 1 AND 5),
    perception smallint CONSTRAINT person_perception CHECK (perception BETWEEN 1 AND 5),
    priority smallint CONSTRAINT person_priority CHECK (priority BETWEEN 1 AND 5),
    promoter smallint CONSTRAINT person_promoter CHECK (promoter BETWEEN 1 AND 5),
    pliability smallint CONSTRAINT person_pliability CHECK (pliability BETWEEN 1 AND 5),
    weight smallint CONSTRAINT person_weight CHECK (weight BETWEEN 1 AND 5),
    PRIMARY KEY (tenant, id),
    CONSTRAINT person_grid CHECK (
        num_nulls(power, perception, priority, promoter, pliability, weight) IN (0, 6)
    )
);
CREATE INDEX person_by_account ON person (tenant, account_id);
CREATE INDEX person_by_created_at ON person (tenant, created_at, id);
CREATE INDEX person_by_superior ON person (tenant, reports_to) WHERE reports_to IS NOT NULL;

CREATE TABLE person_external_id (
    tenant text NOT NULL,
    source text NOT NULL,
    external_id text NOT NULL,
    person_id uuid NOT NULL,
    PRIMARY KEY (tenant, source, external_id),
    FOREIGN KEY (tenant, person_id) REFERENCES person (tenant, id) ON DELETE CASCADE
);
CREATE INDEX person_external_id_by_person ON person_external_id (tenant, person_id);

CREATE TABLE erased_person (
    tenant text NOT NULL,
    id uuid NOT NULL,
    version integer NOT NULL,
    erased_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, id)
);

CREATE TABLE coverage (
    tenant text NOT NULL,
    account_id uuid NOT NULL,
    coverage double precision NOT NULL,
    missing_roles text[] NOT NULL,
    people integer NOT NULL,
    assessed_at timestamptz NOT NULL,
    due_at timestamptz,
    PRIMARY KEY (tenant, account_id)
);
CREATE INDEX coverage_due ON coverage (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE coverage_policy (
    tenant text NOT NULL PRIMARY KEY,
    required_roles text[] NOT NULL
        CONSTRAINT coverage_policy_roles CHECK (cardinality(required_roles) >= 1),
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
    protect(
        op,
        "account",
        "account_external_id",
        "person",
        "person_external_id",
        "erased_person",
        "coverage",
        "coverage_policy",
    )
