"""All SQL of buying: counting the days an account bought on, and reading as many as a change can matter to."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from functools import partial
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from bellwether_kit.db import arrays
from metrics_svc.buying.rules import REACH, Account, BuyingDay, awaited, judge, slots
from metrics_svc.derivation.rules import Deadlines, Terms
from metrics_svc.evidence.rules import Findings

_COUNT = text("""
    WITH counted AS (
        SELECT touched.tenant, touched.account_id, touched.day, last.occurred_at, last.activity_id, last.source
        FROM unnest(CAST(:tenants AS text[]), CAST(:accounts AS uuid[]), CAST(:days AS date[]))
             AS touched(tenant, account_id, day)
        LEFT JOIN LATERAL (
            SELECT occurred_at, activity_id, source FROM activity
            WHERE activity.tenant = touched.tenant AND activity.account_id = touched.account_id
              AND occurred_at >= touched.day AT TIME ZONE 'UTC'
              AND occurred_at < (touched.day + 1) AT TIME ZONE 'UTC'
              AND type = 'order' AND outcome IS DISTINCT FROM 'cancelled' AND (amount IS NULL OR amount >= 0)
            ORDER BY occurred_at DESC, activity_id DESC LIMIT 1
        ) AS last ON true
    ), gone AS (
        DELETE FROM buying_day USING counted
        WHERE buying_day.tenant = counted.tenant AND buying_day.account_id = counted.account_id
          AND buying_day.day = counted.day AND counted.activity_id IS NULL
    )
    INSERT INTO buying_day (tenant, account_id, day, last_at, last_order, source)
    SELECT * FROM counted WHERE activity_id IS NOT NULL
    ON CONFLICT (tenant, account_id, day) DO UPDATE
    SET last_at = EXCLUDED.last_at, last_order = EXCLUDED.last_order, source = EXCLUDED.source
""")

_AROUND = text("""
    SELECT span.tenant, span.account_id, near.day, near.last_at, near.last_order, near.source
    FROM unnest(CAST(:tenants AS text[]), CAST(:accounts AS uuid[]), CAST(:firsts AS date[]), CAST(:lasts AS date[]))
         AS span(tenant, account_id, first, last)
    CROSS JOIN LATERAL (
        (SELECT * FROM buying_day AS d
         WHERE d.tenant = span.tenant AND d.account_id = span.account_id AND d.day < span.first
         ORDER BY d.day DESC LIMIT :before)
        UNION ALL
        SELECT * FROM buying_day AS d
        WHERE d.tenant = span.tenant AND d.account_id = span.account_id AND d.day BETWEEN span.first AND span.last
        UNION ALL
        (SELECT * FROM buying_day AS d
         WHERE d.tenant = span.tenant AND d.account_id = span.account_id AND d.day > span.last
         ORDER BY d.day LIMIT :after)
    ) AS near
    ORDER BY span.tenant, span.account_id, near.day
""")

_LAST_DAYS = text("""
    SELECT wanted.tenant, wanted.account_id, last.day
    FROM unnest(CAST(:tenants AS text[]), CAST(:accounts AS uuid[])) AS wanted(tenant, account_id)
    CROSS JOIN LATERAL (
        SELECT day FROM buying_day AS d
        WHERE d.tenant = wanted.tenant AND d.account_id = wanted.account_id
        ORDER BY day DESC LIMIT 1
    ) AS last
""")


async def count(session: AsyncSession, touched: Iterable[tuple[str, UUID, date]]) -> None:
    """Count the touched days of each account again."""
    wanted = list(touched)
    if wanted:
        await session.execute(_COUNT, arrays("tenants accounts days", wanted))


async def last_days(session: AsyncSession, accounts: Iterable[Account]) -> set[tuple[str, UUID, date]]:
    """The last day each account bought on."""
    wanted = list(accounts)
    if not wanted:
        return set()
    rows = await session.execute(_LAST_DAYS, arrays("tenants accounts", wanted))
    return {(row.tenant, row.account_id, row.day) for row in rows}


async def derive(
    session: AsyncSession,
    touched: Iterable[tuple[str, UUID, date]],
    terms: Terms,
    findings: Findings,
    deadlines: Deadlines,
) -> None:
    """Derive the pace around the touched days again: the day before them, and those their habit reaches."""
    spans: dict[Account, set[date]] = defaultdict(set)
    for tenant, account, day in touched:
        spans[tenant, account].add(day)
        findings.decide(slots(tenant, account, day))
    for (tenant, account), days in (await _around(session, spans)).items():
        span = spans[tenant, account]
        position = partial(terms.policy, tenant)
        first = max(0, sum(bought.day < min(span) for bought in days) - 1)
        after = sum(bought.day > max(span) for bought in days)
        until = len(days) - 1 if after > REACH else len(days)
        for bought in days[first:until]:
            findings.decide(slots(tenant, account, bought.day))
        found = judge(tenant, account, days, first, position, terms.as_of)
        findings.add(piece for piece in found if piece.slot in findings.slots)
        if until == len(days):
            deadlines.set(tenant, account, account, "buying", awaited(days, position, terms.as_of))


async def _around(session: AsyncSession, spans: dict[Account, set[date]]) -> dict[Account, list[BuyingDay]]:
    if not spans:
        return {}
    wanted = list(spans)
    rows = [(*account, min(spans[account]), max(spans[account])) for account in wanted]
    limits = {"before": REACH + 1, "after": REACH + 1}
    days: dict[Account, list[BuyingDay]] = {account: [] for account in wanted}
    for row in await session.execute(_AROUND, {**arrays("tenants accounts firsts lasts", rows), **limits}):
        days[row.tenant, row.account_id].append(BuyingDay(row.day, row.last_at, row.last_order, row.source))
    return days
