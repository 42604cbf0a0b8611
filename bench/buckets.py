"""Two years of one tenant's figures, made by SQL: what the fold would have left of as many activities."""

from collections.abc import Mapping

import psycopg

DAYS = 730
OWNERS = 250
TERRITORIES = 20

MEASURES = [
    *("contacts", "balance", "revenue:EUR", "response-time", "people", "positive:meetings"),
    *("evidence:call-returned", "evidence:call-unreturned", "evidence:email-returned", "evidence:order-placed"),
    *("evidence:meeting-held", "evidence:meeting-declined"),
]

STEPS: Mapping[str, str] = {
    "accounts": """
        INSERT INTO account (tenant, account_id, version, removed, name, owner_id, tier, territory, cadence_days)
        SELECT 'bench', CAST(md5('account-' || n) AS uuid), 1, false, 'Account ' || n,
               CAST(md5('owner-' || n % %(owners)s) AS uuid), (ARRAY['A', 'B', 'C'])[1 + n % 3],
               'T' || n % %(territories)s, 14
        FROM generate_series(1, %(accounts)s) AS n
    """,
    # Every account has so many days on which something happened, with four measures each.
    "days of accounts": """
        INSERT INTO figure_account_day (tenant, account_id, day, measure, n, total)
        SELECT a.tenant, a.account_id, current_date - (hashtext(concat_ws('/', a.name, d)) & 65535) % %(days)s, measure,
               1 + d % 2, CASE WHEN hashtext(concat_ws('/', a.name, d)) % 5 < 2 THEN -1.5 ELSE 1 END
        FROM account AS a CROSS JOIN generate_series(1, %(busy)s) AS d
        CROSS JOIN LATERAL (
            SELECT measure FROM unnest(CAST(%(measures)s AS text[])) WITH ORDINALITY AS m(measure, place)
            WHERE (place + d) % 3 = 0
        ) AS seen
        ON CONFLICT DO NOTHING
    """,
    "groups of accounts": """
        INSERT INTO figure_account (tenant, account_id, members)
        SELECT tenant, account_id, ARRAY['', CAST(owner_id AS text), territory, tier] FROM account
    """,
    "groups": """
        INSERT INTO figure_group (tenant, scope, member, accounts)
        SELECT 'bench', scope, member, count(*) FROM figure_account
        CROSS JOIN LATERAL unnest(ARRAY['all', 'owner', 'territory', 'tier'], members) AS g(scope, member)
        GROUP BY scope, member
    """,
    "days of groups": """
        INSERT INTO figure_day (tenant, scope, member, measure, day, n, total)
        SELECT 'bench', scope, member, measure, day, sum(n), sum(total)
        FROM figure_account_day JOIN figure_account USING (tenant, account_id)
        CROSS JOIN LATERAL unnest(ARRAY['all', 'owner', 'territory', 'tier'], members) AS g(scope, member)
        GROUP BY scope, member, measure, day
    """,
    "months of groups": """
        INSERT INTO figure_month (tenant, scope, member, measure, day, n, total)
        SELECT 'bench', scope, member, measure, CAST(date_trunc('month', day) AS date), sum(n), sum(total)
        FROM figure_day GROUP BY 2, 3, 4, 5
    """,
    "quarters of groups": """
        INSERT INTO figure_quarter (tenant, scope, member, measure, day, n, total)
        SELECT 'bench', scope, member, measure, CAST(date_trunc('quarter', day) AS date), sum(n), sum(total)
        FROM figure_month GROUP BY 2, 3, 4, 5
    """,
    "evidence": """
        INSERT INTO evidence (tenant, evidence_id, account_id, rule, anchor, kind, family, dimension, polarity,
                              magnitude, observed_at, recorded_at, revision, source, contact_ids, activity_ids)
        SELECT 'bench', CAST(md5(concat_ws('/', 'evidence', a.name, e)) AS uuid), a.account_id, 'bench', e,
               (ARRAY['call-returned', 'call-unreturned', 'meeting-held'])[1 + e % 3],
               (ARRAY['calls-and-emails', 'calls-and-emails', 'meetings'])[1 + e % 3], 'heart',
               (ARRAY[1, -1, 1])[1 + e % 3], 1, now() - e * interval '17 days', now(), 1, 'bench', '{}', '{}'
        FROM account AS a CROSS JOIN generate_series(1, 40) AS e
    """,
    "silence": """
        INSERT INTO touch (tenant, account_id, contact_id, last_two_way_at)
        SELECT tenant, account_id, '00000000-0000-0000-0000-000000000000',
               now() - (hashtext(name) & 1023) % 60 * interval '1 day'
        FROM account
    """,
    "standing": "INSERT INTO standing (tenant, account_id, due_at) SELECT tenant, account_id, 'epoch' FROM account",
}


def fill(db: psycopg.Connection, accounts: int, busy: int) -> None:
    """Fill the empty database of a metrics-svc; ``busy`` days of each account have something on them."""
    given = {"accounts": accounts, "busy": busy, "days": DAYS, "owners": OWNERS, "territories": TERRITORIES}
    db.execute("SET synchronous_commit = off")
    db.execute("SET work_mem = '256MB'")
    for name, statement in STEPS.items():
        done = db.execute(statement.replace("% ", "%% "), {**given, "measures": MEASURES})
        print(f"{name}: {done.rowcount:,} rows", flush=True)
    db.execute("VACUUM ANALYZE")
