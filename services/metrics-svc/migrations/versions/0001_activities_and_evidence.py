"""Activities, what they are evidence of, and the projections that find their accounts and people."""

from alembic import op

from bellwether_kit.db.migrations import create_kit_tables, protect

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = (
    # The id is a UUIDv5 of (tenant, source, external id): the key is the identity of M1.
    """
    CREATE TABLE activity (
        tenant text NOT NULL,
        activity_id uuid NOT NULL,
        source text NOT NULL CHECK (source <> ''),
        external_id text NOT NULL CHECK (external_id <> ''),
        revision bigint NOT NULL CHECK (revision >= 0),
        type text NOT NULL,
        direction text CHECK (direction IN ('inbound', 'outbound')),
        outcome text,
        occurred_at timestamptz NOT NULL,
        recorded_at timestamptz NOT NULL,
        starts_at timestamptz,
        updated_at timestamptz,
        account_id uuid,
        reference_kind text NOT NULL CHECK (reference_kind IN ('id', 'external', 'domain')),
        reference_source text NOT NULL,
        reference_value text NOT NULL,
        contact_ids uuid[] NOT NULL,
        owner_id uuid,
        asks_reply boolean,
        asked_contact uuid,
        meeting_id uuid,
        thread text,
        in_reply_to text,
        amount numeric,
        currency text,
        subject text,
        attributes jsonb NOT NULL,
        kind text,
        magnitude double precision CHECK (magnitude > 0),
        note text,
        author text,
        PRIMARY KEY (tenant, activity_id),
        CHECK ((amount IS NULL) = (currency IS NULL))
    )
    """,
    "CREATE INDEX activity_by_time ON activity (tenant, occurred_at, activity_id)",
    "CREATE INDEX activity_by_account ON activity (tenant, account_id, occurred_at, activity_id)",
    """
    CREATE INDEX activity_that_asks ON activity (tenant, account_id, asked_contact, type, occurred_at)
    WHERE asked_contact IS NOT NULL
    """,
    "CREATE INDEX activity_by_meeting ON activity (tenant, meeting_id) WHERE meeting_id IS NOT NULL",
    """
    CREATE INDEX activity_unmatched ON activity (tenant, reference_kind, reference_source, reference_value)
    WHERE account_id IS NULL
    """,
    """
    CREATE TABLE reply (
        tenant text NOT NULL,
        account_id uuid NOT NULL,
        contact_id uuid NOT NULL,
        occurred_at timestamptz NOT NULL,
        activity_id uuid NOT NULL,
        PRIMARY KEY (tenant, account_id, contact_id, occurred_at, activity_id)
    )
    """,
    """
    CREATE TABLE expectation (
        tenant text NOT NULL,
        opened_by uuid NOT NULL,
        account_id uuid NOT NULL,
        contact_id uuid NOT NULL,
        channel text NOT NULL CHECK (channel IN ('call', 'email', 'message')),
        opened_at timestamptz NOT NULL,
        forgiven_until timestamptz NOT NULL,
        closed_by uuid,
        closed_at timestamptz,
        PRIMARY KEY (tenant, opened_by),
        CHECK ((closed_by IS NULL) = (closed_at IS NULL)),
        CHECK (closed_at > opened_at)
    )
    """,
    "CREATE INDEX expectation_by_lane ON expectation (tenant, account_id, contact_id, channel, opened_at)",
    "CREATE INDEX expectation_closed_by ON expectation (tenant, closed_by) WHERE closed_by IS NOT NULL",
    """
    CREATE INDEX expectation_closed_at ON expectation (tenant, account_id, closed_at)
    WHERE closed_at IS NOT NULL
    """,
    """
    CREATE TABLE buying_day (
        tenant text NOT NULL,
        account_id uuid NOT NULL,
        day date NOT NULL,
        last_at timestamptz NOT NULL,
        last_order uuid NOT NULL,
        source text NOT NULL,
        PRIMARY KEY (tenant, account_id, day)
    )
    """,
    """
    CREATE TABLE deadline (
        tenant text NOT NULL,
        account_id uuid NOT NULL,
        subject_id uuid NOT NULL,
        kind text NOT NULL CHECK (kind IN ('expectation', 'meeting', 'buying')),
        due_at timestamptz NOT NULL,
        PRIMARY KEY (tenant, account_id, subject_id)
    )
    """,
    "CREATE INDEX deadline_due ON deadline (tenant, account_id, due_at)",
    """
    CREATE TABLE derivation_rules (
        tenant text NOT NULL,
        version integer NOT NULL CHECK (version > 0),
        applies_from timestamptz NOT NULL,
        policy jsonb NOT NULL,
        author text NOT NULL,
        reason text NOT NULL,
        changed_at timestamptz NOT NULL,
        PRIMARY KEY (tenant, version)
    )
    """,
    """
    CREATE TABLE evidence (
        tenant text NOT NULL,
        evidence_id uuid NOT NULL,
        account_id uuid NOT NULL,
        rule text NOT NULL,
        anchor text NOT NULL,
        kind text NOT NULL,
        family text NOT NULL,
        magnitude double precision NOT NULL CHECK (magnitude > 0),
        observed_at timestamptz NOT NULL,
        recorded_at timestamptz NOT NULL,
        revision integer NOT NULL CHECK (revision > 0),
        source text NOT NULL,
        contact_ids uuid[] NOT NULL,
        owner_id uuid,
        activity_ids uuid[] NOT NULL,
        retracted_for text,
        withdrawn_by text,
        PRIMARY KEY (tenant, evidence_id),
        CHECK (withdrawn_by IS NULL OR retracted_for IS NOT NULL)
    )
    """,
    "CREATE INDEX evidence_by_account ON evidence (tenant, account_id, observed_at, evidence_id)",
    "CREATE INDEX evidence_by_time ON evidence (tenant, observed_at, evidence_id)",
    """
    CREATE TABLE touch (
        tenant text NOT NULL,
        account_id uuid NOT NULL,
        contact_id uuid NOT NULL,
        last_outbound_at timestamptz,
        last_inbound_at timestamptz,
        last_two_way_at timestamptz,
        PRIMARY KEY (tenant, account_id, contact_id)
    )
    """,
    """
    CREATE TABLE touch_day (
        tenant text NOT NULL,
        account_id uuid NOT NULL,
        day date NOT NULL,
        contacts integer NOT NULL,
        two_way integer NOT NULL,
        PRIMARY KEY (tenant, account_id, day)
    )
    """,
    """
    CREATE TABLE account (
        tenant text NOT NULL,
        account_id uuid NOT NULL,
        version integer NOT NULL,
        country text,
        removed boolean NOT NULL,
        due_at timestamptz,
        anew_at timestamptz,
        anew_from timestamptz,
        PRIMARY KEY (tenant, account_id),
        CHECK ((anew_at IS NULL) = (anew_from IS NULL))
    )
    """,
    "CREATE INDEX account_due ON account (due_at) WHERE due_at IS NOT NULL",
    "CREATE INDEX account_anew ON account (anew_at) WHERE anew_at IS NOT NULL",
    """
    CREATE TABLE account_reference (
        tenant text NOT NULL,
        kind text NOT NULL CHECK (kind IN ('id', 'external', 'domain')),
        source text NOT NULL,
        value text NOT NULL,
        account_id uuid NOT NULL,
        claimed_at timestamptz NOT NULL,
        released boolean NOT NULL,
        PRIMARY KEY (tenant, kind, source, value)
    )
    """,
    "CREATE INDEX account_reference_by_account ON account_reference (tenant, account_id)",
    """
    CREATE TABLE contact_alias (
        tenant text NOT NULL,
        alias_id uuid NOT NULL,
        contact_id uuid NOT NULL,
        claimed_at timestamptz NOT NULL,
        PRIMARY KEY (tenant, alias_id)
    )
    """,
    "CREATE INDEX contact_alias_by_contact ON contact_alias (tenant, contact_id)",
)


def upgrade() -> None:
    for statement in _TABLES:
        op.execute(statement)
    protect(
        op,
        "activity",
        "reply",
        "expectation",
        "buying_day",
        "deadline",
        "derivation_rules",
        "evidence",
        "touch",
        "touch_day",
        "account",
        "account_reference",
        "contact_alias",
    )
    create_kit_tables(op)
