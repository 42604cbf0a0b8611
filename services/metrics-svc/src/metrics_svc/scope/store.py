"""All SQL of scope: summing an account's orders by day and currency, and reading the days that a change matters to."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from metrics_svc.accounts.store import Key
from metrics_svc.derivation.rules import Deadlines, Terms
from metrics_svc.evidence.rules import Findings
from metrics_svc.scope.rules import OrderDay, affected, awaited, checkpoints, deadline_id, judge, needed, slot

_COUNT = text("""
    WITH touched AS MATERIALIZED (
        SELECT * FROM unnest(CAST(:tenants AS text[]), CAST(:accounts AS uuid[]), CAST(:days AS date[]))
                      AS touched(tenant, account_id, day)
    ), counted AS (
        SELECT touched.*, sums.* FROM touched CROSS JOIN LATERAL (
            SELECT currency, sum(amount) AS amount, count(*) FILTER (WHERE amount >= 0) AS purchases,
                   (array_agg(activity_id ORDER BY occurred_at DESC, activity_id DESC))[1] AS last_order,
                   (array_agg(source ORDER BY occurred_at DESC, activity_id DESC))[1] AS source
            FROM activity
            WHERE activity.tenant = touched.tenant AND activity.account_id = touched.account_id
              AND occurred_at >= touched.day AT TIME ZONE 'UTC'
              AND occurred_at < (touched.day + 1) AT TIME ZONE 'UTC'
              AND type = 'order' AND outcome IS DISTINCT FROM 'cancelled' AND amount IS NOT NULL
            GROUP BY currency
        ) AS sums
    ), gone AS (
        DELETE FROM order_day AS kept USING touched
        WHERE kept.tenant = touched.tenant AND kept.account_id = touched.account_id AND kept.day = touched.day
          AND NOT EXISTS (
              SELECT FROM counted
              WHERE counted.tenant = kept.tenant AND counted.account_id = kept.account_id
                AND counted.day = kept.day AND counted.currency = kept.currency)
    )
    INSERT INTO order_day (tenant, account_id, day, currency, amount, purchases, last_order, source)
    SELECT * FROM counted
    ON CONFLICT (tenant, account_id, day, currency) DO UPDATE
    SET amount = EXCLUDED.amount, purchases = EXCLUDED.purchases, last_order = EXCLUDED.last_order,
        source = EXCLUDED.source
""")

# ``other``: the first purchase on a day that did not change. An earlier one, come or gone, moves what it is compared
# with. ``due_at``: a look that is due and not taken yet.
_ENDS = text("""
    SELECT wanted.tenant, wanted.account_id, (
               SELECT min(day) FROM order_day AS d
               WHERE d.tenant = wanted.tenant AND d.account_id = wanted.account_id AND d.purchases > 0
           ) AS first, (
               SELECT min(day) FROM order_day AS d
               WHERE d.tenant = wanted.tenant AND d.account_id = wanted.account_id AND d.purchases > 0
                 AND d.day <> ALL(CAST(wanted.days AS date[]))
           ) AS other, (
               SELECT max(day) FROM order_day AS d
               WHERE d.tenant = wanted.tenant AND d.account_id = wanted.account_id
           ) AS last, (
               SELECT due_at FROM deadline AS l
               WHERE l.tenant = wanted.tenant AND l.account_id = wanted.account_id AND l.subject_id = wanted.subject_id
           ) AS due_at
    FROM unnest(CAST(:tenants AS text[]), CAST(:accounts AS uuid[]), CAST(:subjects AS uuid[]), CAST(:days AS text[]))
         AS wanted(tenant, account_id, subject_id, days)
""")

_DAYS = text("""
    SELECT d.tenant, d.account_id, d.day, d.currency, d.amount, d.purchases, d.last_order, d.source
    FROM unnest(CAST(:tenants AS text[]), CAST(:accounts AS uuid[]), CAST(:firsts AS date[]), CAST(:ends AS date[]))
         AS span(tenant, account_id, first, until)
    JOIN order_day AS d USING (tenant, account_id)
    WHERE d.day >= span.first AND d.day < span.until
    ORDER BY d.tenant, d.account_id, d.day, d.currency
""")

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Look:
    """The checkpoints of an account to look at again, and its first purchase."""

    first: date
    wanted: Sequence[date]


async def count(session: AsyncSession, touched: Iterable[tuple[str, UUID, date]]) -> None:
    """Sum the touched days of each account again."""
    if wanted := list(touched):
        arrays = {**_keys(wanted), "days": [day for _, _, day in wanted]}
        await session.execute(_COUNT, arrays)


async def derive(
    session: AsyncSession,
    touched: Collection[tuple[str, UUID, date]],
    since: Mapping[Key, datetime],
    terms: Terms,
    findings: Findings,
    deadlines: Deadlines,
) -> None:
    """Look again at the months that the touched days matter to, and at all since a moment for some accounts.

    What is due is looked at as well. An order of the current month matters to none yet.
    """
    days: dict[Key, set[date]] = {key: set() for key in since}
    for tenant, account, day in touched:
        days.setdefault((tenant, account), set()).add(day)
    looks = {}
    for row in await _ends(session, days):
        key, book = (row.tenant, row.account_id), terms.book(row.tenant)
        wanted = _wanted(row, days[key], since.get(key), terms)
        findings.decide(slot(*key, checkpoint) for checkpoint in wanted)
        deadlines.set(*key, deadline_id(row.account_id), "scope", awaited(row.last, terms.as_of, book))
        if wanted and row.first is not None:
            looks[key] = _Look(row.first, wanted)
    for key, known in (await _days(session, looks, terms)).items():
        look = looks[key]
        findings.add(judge(*key, known, look.first, look.wanted, partial(terms.policy, key[0])))


def _wanted(row: Row[Any], days: set[date], since: datetime | None, terms: Terms) -> list[date]:
    book, today = terms.book(row.tenant), terms.as_of.astimezone(UTC).date()
    moved = {row.other} if row.other is not None and days and min(days) <= row.other else set()
    spans = [affected(day, book) for day in days | moved]
    for moment in (since, row.due_at if row.due_at is not None and row.due_at <= terms.as_of else None):
        if moment is not None and row.first is not None:
            before = moment.astimezone(UTC).date().replace(day=1)
            spans.append((max(row.first, before - _DAY), affected(row.last, book)[1]))
    if not spans:
        return []
    return list(checkpoints(min(first for first, _ in spans), min(today, max(until for _, until in spans))))


async def _ends(session: AsyncSession, days: Mapping[Key, set[date]]) -> Sequence[Row[Any]]:
    if not days:
        return []
    wanted = list(days)
    arrays = {
        **_keys(wanted),
        "subjects": [deadline_id(account) for _, account in wanted],
        "days": ["{" + ",".join(map(str, days[key])) + "}" for key in wanted],
    }
    return (await session.execute(_ENDS, arrays)).all()


async def _days(session: AsyncSession, looks: Mapping[Key, _Look], terms: Terms) -> dict[Key, list[OrderDay]]:
    if not looks:
        return {}
    wanted = list(looks)
    arrays = {
        **_keys(wanted),
        "firsts": [needed(looks[key].wanted[0], terms.book(key[0])) for key in wanted],
        "ends": [looks[key].wanted[-1] for key in wanted],
    }
    known: dict[Key, list[OrderDay]] = defaultdict(list)
    for row in await session.execute(_DAYS, arrays):
        day = OrderDay(row.day, row.currency, row.amount, row.purchases, row.last_order, row.source)
        known[row.tenant, row.account_id].append(day)
    return known


def _keys(keys: Sequence[tuple[Any, ...]]) -> dict[str, list[Any]]:
    return {"tenants": [key[0] for key in keys], "accounts": [key[1] for key in keys]}
