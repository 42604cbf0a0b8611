"""All SQL of figures: marking what may have changed, counting it again from the truth, and adding up the groups."""

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from bellwether_kit.db import array, arrays
from metrics_svc.activities.rules import Change
from metrics_svc.evidence.rules import Revision
from metrics_svc.figures.rules import GRAINS, SCOPES, Mark, Part, counted, marks

_MARK = text("""
    INSERT INTO figure_mark (tenant, account_id, day)
    SELECT * FROM unnest(CAST(:tenants AS text[]), CAST(:accounts AS uuid[]), CAST(:days AS date[]))
""")

_CLOSINGS = text("""
    SELECT tenant, account_id, CAST(closed_at AS date) AS day
    FROM expectation JOIN unnest(CAST(:tenants AS text[]), CAST(:ids AS uuid[])) AS asked(tenant, opened_by)
      USING (tenant, opened_by)
    WHERE closed_at IS NOT NULL
""")

# One after the other for a tenant: groups are sums over accounts, and a sum has one writer at a time.
_ALONE = text("""
    SELECT pg_advisory_xact_lock(hashtextextended('figures/' || tenant, 0))
    FROM (SELECT tenant FROM unnest(CAST(:tenants AS text[])) AS t(tenant) ORDER BY tenant) AS sorted
""")

_UNMARK = text("""
    DELETE FROM figure_mark USING unnest(CAST(:tenants AS text[]), CAST(:ids AS bigint[])) AS done(tenant, mark_id)
    WHERE figure_mark.tenant = done.tenant AND figure_mark.mark_id = done.mark_id
""")

DAY_FIGURES = """
    SELECT m.tenant, m.account_id, m.day, figure.measure,
           count(*) AS n, sum(figure.sign * CAST(e.magnitude AS numeric)) AS total
    FROM marked AS m
    CROSS JOIN LATERAL (
        SELECT kind, family, polarity, magnitude FROM evidence
        WHERE tenant = m.tenant AND account_id = m.account_id AND retracted_for IS NULL
          AND observed_at >= CAST(m.day AS timestamptz) AND observed_at < CAST(m.day + 1 AS timestamptz)
        OFFSET 0
    ) AS e
    CROSS JOIN LATERAL (VALUES
        ('evidence:' || e.kind, e.polarity),
        (CASE WHEN e.polarity > 0 THEN 'positive:' ELSE 'negative:' END || e.family, 1),
        ('balance', e.polarity)
    ) AS figure(measure, sign)
    GROUP BY m.tenant, m.account_id, m.day, figure.measure
  UNION ALL
    SELECT m.tenant, m.account_id, m.day, 'response-time', count(*),
           sum(round(extract(epoch FROM e.closed_at - e.opened_at) / 3600, 6))
    FROM marked AS m
    CROSS JOIN LATERAL (
        SELECT anchor FROM evidence
        WHERE tenant = m.tenant AND account_id = m.account_id AND retracted_for IS NULL AND rule = 'returned'
          AND observed_at >= CAST(m.day AS timestamptz) AND observed_at < CAST(m.day + 1 AS timestamptz)
        OFFSET 0
    ) AS returned
    JOIN expectation AS e ON e.tenant = m.tenant AND e.opened_by = CAST(returned.anchor AS uuid)
    WHERE e.closed_at IS NOT NULL
    GROUP BY m.tenant, m.account_id, m.day
  UNION ALL
    SELECT m.tenant, m.account_id, m.day, 'contacts', t.contacts, t.two_way
    FROM marked AS m JOIN touch_day AS t USING (tenant, account_id, day)
    WHERE t.contacts <> 0
  UNION ALL
    SELECT m.tenant, m.account_id, m.day, 'revenue:' || o.currency, count(*) FILTER (WHERE o.amount >= 0), sum(o.amount)
    FROM marked AS m
    CROSS JOIN LATERAL (
        SELECT currency, amount FROM activity
        WHERE tenant = m.tenant AND account_id = m.account_id
          AND occurred_at >= CAST(m.day AS timestamptz) AND occurred_at < CAST(m.day + 1 AS timestamptz)
          AND type = 'order' AND outcome IS DISTINCT FROM 'cancelled' AND amount IS NOT NULL
        OFFSET 0
    ) AS o
    GROUP BY m.tenant, m.account_id, m.day, o.currency
  UNION ALL
    SELECT m.tenant, m.account_id, m.day, 'people', 1, count(DISTINCT contact)
    FROM marked AS m
    CROSS JOIN LATERAL (
        SELECT unnest(contact_ids) AS contact FROM activity
        WHERE tenant = m.tenant AND account_id = m.account_id AND type <> 'observation'
          AND occurred_at >= CAST(m.day AS timestamptz)
          AND occurred_at < CAST(m.day AS timestamptz) + interval '1 month'
        OFFSET 0
    ) AS met
    WHERE extract(day FROM m.day) = 1
    GROUP BY m.tenant, m.account_id, m.day
  UNION ALL
    SELECT m.tenant, m.account_id, m.day, 'buyers', 1, CAST(EXISTS (
               SELECT FROM buying_day AS b
               WHERE b.tenant = m.tenant AND b.account_id = m.account_id
                 AND b.day >= m.day AND b.day < m.day + interval '3 months') AS integer)
    FROM marked AS m
    WHERE m.day = CAST(date_trunc('quarter', CAST(m.day AS timestamp)) AS date) AND EXISTS (
               SELECT FROM buying_day AS b
               WHERE b.tenant = m.tenant AND b.account_id = m.account_id
                 AND b.day >= m.day - interval '3 months' AND b.day < m.day)
"""
"""The figures of evidence, contacts and orders on the days of ``marked(tenant, account_id, day)``.

The total of a kind of evidence and of the balance is that of polarity times magnitude, of a family that of magnitude.
On the first of a month stand the people met in it (``people``); on the first of a quarter whether an account that
bought in the quarter before bought in this one too (``buyers``).
"""

_COUNT = """
    WITH marked AS MATERIALIZED (
        SELECT * FROM unnest(CAST(:tenants AS text[]), CAST(:accounts AS uuid[]), CAST(:days AS date[]))
                      AS marked(tenant, account_id, day)
    ), fresh AS ({sources}
    ), stale AS (
        SELECT f.tenant, f.account_id, f.day, f.measure, f.n, f.total
        FROM marked AS m CROSS JOIN LATERAL (
            SELECT * FROM figure_account_day
            WHERE tenant = m.tenant AND account_id = m.account_id AND day = m.day OFFSET 0
        ) AS f
    ), changed AS MATERIALIZED (
        SELECT tenant, account_id, day, measure, coalesce(fresh.n, 0) AS n, coalesce(fresh.total, 0) AS total,
               coalesce(fresh.n, 0) - coalesce(stale.n, 0) AS more,
               coalesce(fresh.total, 0) - coalesce(stale.total, 0) AS added
        FROM fresh FULL JOIN stale USING (tenant, account_id, day, measure)
        WHERE (fresh.n, fresh.total) IS DISTINCT FROM (stale.n, stale.total)
    ), gone AS (
        DELETE FROM figure_account_day AS f USING changed AS c
        WHERE f.tenant = c.tenant AND f.account_id = c.account_id AND f.day = c.day AND f.measure = c.measure
          AND c.n = 0 AND c.total = 0
    ), kept AS (
        INSERT INTO figure_account_day (tenant, account_id, day, measure, n, total)
        SELECT tenant, account_id, day, measure, n, total FROM changed WHERE n <> 0 OR total <> 0
        ON CONFLICT (tenant, account_id, day, measure) DO UPDATE SET n = EXCLUDED.n, total = EXCLUDED.total
    ), difference AS (
        SELECT c.tenant, s.scope, s.member, c.measure, c.day, c.more, c.added
        FROM changed AS c JOIN figure_account AS a USING (tenant, account_id)
        CROSS JOIN LATERAL unnest(CAST(:scopes AS text[]), a.members) AS s(scope, member)
        WHERE s.member IS NOT NULL
    ){added}
"""

_ADDED_TO = """
    INSERT INTO figure_{grain} AS kept (tenant, scope, member, measure, day, n, total)
    SELECT tenant, scope, member, measure, CAST(date_trunc('{grain}', CAST(day AS timestamp)) AS date), sum(more),
           sum(added)
    FROM difference
    GROUP BY 1, 2, 3, 4, 5 HAVING sum(more) <> 0 OR sum(added) <> 0
    ON CONFLICT (tenant, scope, member, measure, day)
    DO UPDATE SET n = kept.n + EXCLUDED.n, total = kept.total + EXCLUDED.total
"""
_ADDED = "".join(f", by_{grain} AS ({_ADDED_TO.format(grain=grain)})" for grain in GRAINS[1:])
_ADDED += _ADDED_TO.format(grain=GRAINS[0])

_CHANGED = text("""
    INSERT INTO figure_version AS kept (tenant, part, version)
    SELECT tenant, :part, 1 FROM (SELECT tenant FROM unnest(CAST(:tenants AS text[])) AS t(tenant) ORDER BY tenant) AS t
    ON CONFLICT (tenant, part) DO UPDATE SET version = kept.version + 1
""")
_VERSION = text("SELECT version FROM figure_version WHERE tenant = :tenant AND part = :part")

_MOVE = text(f"""
    WITH moved AS MATERIALIZED (
        SELECT tenant, account_id, coalesce(f.members, '{{}}') AS was,
               CASE WHEN a.removed THEN '{{}}'
                    ELSE ARRAY['', CAST(a.owner_id AS text), a.territory, a.tier] END AS now
        FROM unnest(CAST(:tenants AS text[]), CAST(:accounts AS uuid[])) AS wanted(tenant, account_id)
        JOIN account AS a USING (tenant, account_id) LEFT JOIN figure_account AS f USING (tenant, account_id)
    ), kept AS (
        INSERT INTO figure_account (tenant, account_id, members)
        SELECT tenant, account_id, now FROM moved WHERE was <> now
        ON CONFLICT (tenant, account_id) DO UPDATE SET members = EXCLUDED.members
    ), shift AS MATERIALIZED (
        SELECT m.tenant, m.account_id, s.scope, side.member, side.sign
        FROM moved AS m CROSS JOIN LATERAL unnest(CAST(:scopes AS text[]), m.was, m.now) AS s(scope, was, now)
        CROSS JOIN LATERAL (VALUES (s.was, -1), (s.now, 1)) AS side(member, sign)
        WHERE m.was <> m.now AND s.was IS DISTINCT FROM s.now AND side.member IS NOT NULL
    ), sized AS (
        INSERT INTO figure_group AS kept (tenant, scope, member, accounts)
        SELECT tenant, scope, member, sum(sign) FROM shift GROUP BY tenant, scope, member
        ON CONFLICT (tenant, scope, member) DO UPDATE SET accounts = kept.accounts + EXCLUDED.accounts
    ), difference AS (
        SELECT s.tenant, s.scope, s.member, f.measure, f.day, s.sign * f.n AS more, s.sign * f.total AS added
        FROM shift AS s JOIN figure_account_day AS f USING (tenant, account_id)
    ){_ADDED}
""")


async def mark(session: AsyncSession, keys: Collection[Mark]) -> None:
    """Have figures of accounts counted again; a key without a day says that the account's groups may have changed."""
    if keys:
        await session.execute(_MARK, arrays("tenants accounts days", list(keys)))


async def follow(session: AsyncSession, revisions: Sequence[Revision], changes: Sequence[Change]) -> None:
    """Mark the days that derivation touched.

    An ask that is corrected changes how long its reply took, on the day of the reply.
    """
    found = marks(revisions, changes)
    corrected = [change.before for change in changes if change.before is not None]
    if corrected:
        given = {"tenants": [a.tenant for a in corrected], "ids": [a.activity_id for a in corrected]}
        found |= {(row.tenant, row.account_id, row.day) for row in await session.execute(_CLOSINGS, given)}
    await mark(session, found)


async def fold(session: AsyncSession, keys: Iterable[Mark], sources: Sequence[str]) -> None:
    """Count the marked days again, and add what changed to the groups that the accounts are in.

    ``sources`` are SELECTs of (tenant, account_id, day, measure, n, total) over ``marked(tenant, account_id, day)``.
    An account that changed its groups takes all its days along. The same marks again change nothing.
    """
    marked = list(keys)
    days = sorted({(t, account, at) for t, account, day in marked if day for at in counted(day)})
    accounts = sorted({(tenant, account) for tenant, account, _ in marked})
    tenants = sorted({tenant for tenant, _ in accounts})
    await session.execute(_ALONE, {"tenants": tenants})
    if days:
        statement = _COUNT.format(sources="\n  UNION ALL\n".join(sources), added=_ADDED)
        await session.execute(text(statement), {**arrays("tenants accounts days", days), "scopes": list(SCOPES)})
    given = {"tenants": [tenant for tenant, _ in accounts], "accounts": [account for _, account in accounts]}
    await session.execute(_MOVE, {**given, "scopes": list(SCOPES)})
    await changed(session, tenants, "figures")


async def changed(session: AsyncSession, tenants: Iterable[str], part: Part) -> None:
    """Say that what is read of a part of tenants' figures may be another now."""
    await session.execute(_CHANGED, {"tenants": array(sorted(tenants)), "part": part})


async def version(session: AsyncSession, tenant: str, part: Part) -> str:
    """What tells whether a part of a tenant's figures has changed since: read it before them."""
    return f"{part}/{(await session.execute(_VERSION, {'tenant': tenant, 'part': part})).scalar()}"


async def unmark(session: AsyncSession, ids: Iterable[tuple[str, int]]) -> None:
    """Forget marks (tenant, number) that were dealt with."""
    done = list(ids)
    await session.execute(_UNMARK, {"tenants": [tenant for tenant, _ in done], "ids": [id_ for _, id_ in done]})
