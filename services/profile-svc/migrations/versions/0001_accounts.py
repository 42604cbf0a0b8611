"""Accounts with external ids and teams, and the projection of their health."""

from alembic import op

from bellwether_kit.db.migrations import create_kit_tables, protect

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = (
    """
    CREATE TABLE account (
        tenant text NOT NULL,
        id uuid NOT NULL,
        version integer NOT NULL CHECK (version > 0),
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        name text NOT NULL CHECK (name <> ''),
        known_since timestamptz NOT NULL,
        status text NOT NULL CHECK (status IN ('prospect', 'active', 'inactive')),
        account_type text NOT NULL CHECK (account_type IN ('standard', 'key', 'strategic')),
        tier text CHECK (tier IN ('A', 'B', 'C')),
        industry text,
        territory text,
        country text,
        currency text,
        parent_id uuid,
        owner text,
        owner_id uuid,
        cadence_days double precision CHECK (cadence_days > 0),
        contract_start date,
        contract_end date,
        renewal_at timestamptz,
        value_amount numeric,
        value_currency text,
        email_domains text[] NOT NULL,
        origins jsonb NOT NULL,
        PRIMARY KEY (tenant, id),
        CHECK (parent_id <> id),
        CHECK (contract_end >= contract_start),
        CHECK ((value_amount IS NULL) = (value_currency IS NULL)),
        CHECK ((owner IS NULL) = (owner_id IS NULL))
    )
    """,
    "CREATE INDEX account_by_name ON account (tenant, name, id)",
    "CREATE INDEX account_by_created_at ON account (tenant, created_at, id)",
    "CREATE INDEX account_by_owner ON account (tenant, owner_id) WHERE owner_id IS NOT NULL",
    "CREATE INDEX account_by_parent ON account (tenant, parent_id) WHERE parent_id IS NOT NULL",
    """
    CREATE TABLE account_external_id (
        tenant text NOT NULL,
        source text NOT NULL,
        external_id text NOT NULL,
        account_id uuid NOT NULL,
        PRIMARY KEY (tenant, source, external_id),
        FOREIGN KEY (tenant, account_id) REFERENCES account (tenant, id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX account_external_id_by_account ON account_external_id (tenant, account_id)",
    # The foreign keys of the next two pay: removing an account takes its team and its health along.
    """
    CREATE TABLE account_member (
        tenant text NOT NULL,
        account_id uuid NOT NULL,
        role text NOT NULL,
        user_id uuid NOT NULL,
        email text NOT NULL,
        PRIMARY KEY (tenant, account_id, role, user_id),
        FOREIGN KEY (tenant, account_id) REFERENCES account (tenant, id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX account_member_by_user ON account_member (tenant, user_id)",
    """
    CREATE TABLE account_health (
        tenant text NOT NULL,
        account_id uuid NOT NULL,
        score double precision NOT NULL,
        band text NOT NULL,
        sequence bigint NOT NULL,
        evaluated_at timestamptz NOT NULL,
        PRIMARY KEY (tenant, account_id),
        FOREIGN KEY (tenant, account_id) REFERENCES account (tenant, id) ON DELETE CASCADE
    )
    """,
)


def upgrade() -> None:
    for statement in _TABLES:
        op.execute(statement)
    protect(op, "account", "account_external_id", "account_member", "account_health")
    create_kit_tables(op)
