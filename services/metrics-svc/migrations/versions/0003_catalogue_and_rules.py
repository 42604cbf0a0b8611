"""Evidence says its own dimension and polarity: a tenant may add kinds. Orders are summed by day and currency."""

from alembic import op

from bellwether_kit.db.migrations import protect

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_FOR_US = (
    "meeting-accepted meeting-held call-returned email-returned client-contacted introduction-unsolicited "
    "introduction-solicited advice-sought invited-early inside-information-shared scope-expanded order-placed "
    "buying-accelerated renewal-signed complaint-resolved reference-given"
)


def upgrade() -> None:
    op.execute("ALTER TABLE evidence ADD dimension text, ADD polarity smallint")
    op.execute("ALTER TABLE deadline DROP CONSTRAINT deadline_kind_check")
    op.execute("ALTER TABLE deadline ADD CHECK (kind IN ('expectation', 'meeting', 'buying', 'scope'))")
    op.execute("""
        CREATE TABLE order_day (
            tenant text NOT NULL,
            account_id uuid NOT NULL,
            day date NOT NULL,
            currency text NOT NULL,
            amount numeric NOT NULL,
            purchases integer NOT NULL CHECK (purchases >= 0),
            last_order uuid NOT NULL,
            source text NOT NULL,
            PRIMARY KEY (tenant, account_id, day, currency)
        )
    """)
    _fill()
    op.execute("""
        ALTER TABLE evidence
        ALTER dimension SET NOT NULL, ALTER polarity SET NOT NULL,
        ADD CHECK (dimension IN ('heart', 'mind', 'wallet')), ADD CHECK (polarity IN (-1, 1))
    """)
    protect(op, "order_day")


def _fill() -> None:
    """Give what is there its values, and have every account derived under the rules that came with this form."""
    tables = ("evidence", "activity", "account")
    for table in tables:
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute(f"""
        UPDATE evidence
        SET dimension = CASE WHEN family IN ('scope', 'buying-pace') THEN 'wallet'
                             WHEN family IN ('advice', 'buying-timing', 'inside-information') THEN 'mind'
                             ELSE 'heart' END,
            polarity = CASE WHEN kind = ANY(string_to_array('{_FOR_US}', ' ')) THEN 1 ELSE -1 END
    """)
    op.execute("""
        INSERT INTO order_day (tenant, account_id, day, currency, amount, purchases, last_order, source)
        SELECT tenant, account_id, CAST(occurred_at AT TIME ZONE 'UTC' AS date), currency,
               sum(amount), count(*) FILTER (WHERE amount >= 0),
               (array_agg(activity_id ORDER BY occurred_at DESC, activity_id DESC))[1],
               (array_agg(source ORDER BY occurred_at DESC, activity_id DESC))[1]
        FROM activity
        WHERE type = 'order' AND outcome IS DISTINCT FROM 'cancelled' AND amount IS NOT NULL AND account_id IS NOT NULL
        GROUP BY 1, 2, 3, 4
    """)
    op.execute("UPDATE account SET anew_at = now(), anew_from = '1990-01-01Z' WHERE NOT removed")
    for table in tables:
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
