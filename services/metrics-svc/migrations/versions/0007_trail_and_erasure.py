"""The trail of evidence, names given by hand, erasure and retention."""

from alembic import op

from bellwether_kit.db.migrations import protect

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_NAMES = (
    # A domain may be several accounts'; an id is still one account's.
    "ALTER TABLE account_reference DROP CONSTRAINT account_reference_pkey",
    "ALTER TABLE account_reference ADD PRIMARY KEY (tenant, kind, source, value, account_id)",
    """
    CREATE UNIQUE INDEX account_reference_of_one ON account_reference (tenant, kind, source, value)
    WHERE kind <> 'domain'
    """,
    "ALTER TABLE account_reference ADD stem text",
    """
    UPDATE account_reference
    SET stem = substring(value FROM '([^.]+)([.](ac|co|com|edu|gov|net|org))?[.][^.]+$') WHERE kind = 'domain'
    """,
    "CREATE INDEX account_reference_by_value ON account_reference (tenant, value)",
    "CREATE INDEX account_reference_by_stem ON account_reference (tenant, stem) WHERE stem IS NOT NULL",
    'ALTER TABLE account ADD name_key text COLLATE "C"',
    "UPDATE account SET name_key = btrim(regexp_replace(lower(name), '[^a-z0-9]+', ' ', 'g')) WHERE name IS NOT NULL",
    "CREATE INDEX account_by_name ON account (tenant, name_key) WHERE name_key IS NOT NULL",
    """
    CREATE TABLE reference_word (
        tenant text NOT NULL,
        kind text NOT NULL CHECK (kind IN ('id', 'external', 'domain')),
        source text NOT NULL,
        value text NOT NULL,
        account_id uuid,
        author text NOT NULL,
        reason text NOT NULL,
        said_at timestamptz NOT NULL,
        undone boolean NOT NULL,
        due_at timestamptz,
        PRIMARY KEY (tenant, kind, source, value)
    )
    """,
    "CREATE INDEX reference_word_due ON reference_word (due_at) WHERE due_at IS NOT NULL",
    "ALTER TABLE activity ADD placed_by text",
    "DROP INDEX activity_unmatched",
    """
    CREATE INDEX activity_unmatched ON activity (tenant, reference_kind, reference_source, reference_value)
    WHERE account_id IS NULL AND placed_by IS NULL
    """,
    "CREATE INDEX touch_by_contact ON touch (tenant, contact_id)",
)

_TRAIL = (
    """
    CREATE TABLE activity_revision (
        tenant text NOT NULL,
        activity_id uuid NOT NULL,
        entry bigint GENERATED ALWAYS AS IDENTITY,
        account_id uuid,
        revision bigint NOT NULL,
        type text NOT NULL,
        direction text,
        outcome text,
        occurred_at timestamptz NOT NULL,
        starts_at timestamptz,
        recorded_at timestamptz NOT NULL,
        contact_ids uuid[] NOT NULL,
        owner_id uuid,
        amount numeric,
        kind text,
        magnitude double precision,
        until timestamptz NOT NULL,
        why text NOT NULL,
        author text,
        reason text,
        PRIMARY KEY (tenant, activity_id, entry)
    )
    """,
    """
    CREATE TABLE evidence_revision (
        tenant text NOT NULL,
        evidence_id uuid NOT NULL,
        revision integer NOT NULL,
        account_id uuid NOT NULL,
        kind text NOT NULL,
        magnitude double precision NOT NULL,
        observed_at timestamptz NOT NULL,
        source text NOT NULL,
        contact_ids uuid[] NOT NULL,
        owner_id uuid,
        activity_ids uuid[] NOT NULL,
        until timestamptz NOT NULL,
        why text NOT NULL,
        because_of uuid[] NOT NULL,
        author text,
        reason text,
        PRIMARY KEY (tenant, evidence_id, revision)
    )
    """,
    "CREATE INDEX activity_revision_by_account ON activity_revision (tenant, account_id)",
    "CREATE INDEX evidence_revision_by_account ON evidence_revision (tenant, account_id)",
)

_ERASURE = (
    # Without a person the alias is of somebody erased: posts that name them come in without them.
    "ALTER TABLE contact_alias ALTER contact_id DROP NOT NULL",
    """
    CREATE TABLE erasure (
        tenant text NOT NULL,
        erasure_id uuid NOT NULL,
        subject text NOT NULL CHECK (subject IN ('person', 'account')),
        account_id uuid,
        state text NOT NULL CHECK (state IN ('requested', 'running', 'done')),
        author text NOT NULL,
        reason text NOT NULL,
        requested_at timestamptz NOT NULL,
        finished_at timestamptz,
        activities bigint NOT NULL,
        evidence bigint NOT NULL,
        walked_to uuid NOT NULL,
        due_at timestamptz,
        PRIMARY KEY (tenant, erasure_id)
    )
    """,
    "CREATE INDEX erasure_due ON erasure (due_at) WHERE due_at IS NOT NULL",
    "CREATE INDEX erasure_by_time ON erasure (tenant, requested_at, erasure_id)",
    """
    CREATE TABLE erasure_person (
        tenant text NOT NULL,
        erasure_id uuid NOT NULL,
        contact_id uuid NOT NULL,
        stand_in uuid NOT NULL,
        PRIMARY KEY (tenant, erasure_id, contact_id)
    )
    """,
)

_RETENTION = (
    """
    CREATE TABLE retention_limits (
        tenant text NOT NULL,
        version integer NOT NULL CHECK (version > 0),
        activity_text_days integer CHECK (activity_text_days > 0),
        activity_days integer CHECK (activity_days > 0),
        author text NOT NULL,
        reason text NOT NULL,
        changed_at timestamptz NOT NULL,
        PRIMARY KEY (tenant, version)
    )
    """,
    """
    CREATE TABLE retention_run (
        tenant text NOT NULL,
        run_id uuid NOT NULL,
        due_at timestamptz,
        started_at timestamptz,
        finished_at timestamptz,
        version integer,
        walked_at timestamptz,
        walked_to uuid,
        texts bigint NOT NULL,
        names bigint NOT NULL,
        PRIMARY KEY (tenant, run_id)
    )
    """,
    "CREATE INDEX retention_run_due ON retention_run (due_at) WHERE due_at IS NOT NULL",
    "CREATE UNIQUE INDEX retention_run_ahead ON retention_run (tenant) WHERE finished_at IS NULL",
)


def upgrade() -> None:
    """Let domains be shared, keep what is replaced and what people say by hand, and room for what is erased."""
    for statement in (*_NAMES, *_TRAIL, *_ERASURE, *_RETENTION):
        op.execute(statement)
    protect(
        op,
        "reference_word",
        "activity_revision",
        "evidence_revision",
        "erasure",
        "erasure_person",
        "retention_limits",
        "retention_run",
    )
