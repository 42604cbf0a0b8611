"""All SQL of reported figures: taking each in once, saying what changed, reading."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from bellwether_kit.db import UnitOfWork
from bellwether_kit.errors import DomainError
from bellwether_kit.events import Event
from bellwether_kit.http import ItemResult, Problem
from bellwether_kit.ids import opaque_id
from metrics_svc.activities.rules import Reference
from metrics_svc.figures import store as figures
from metrics_svc.published import MetricMeasured
from metrics_svc.records import store as records
from metrics_svc.records.rules import Kept, Record
from metrics_svc.references.store import Claimed
from metrics_svc.reported.tables import ReportedFigureRow

_SHELF = records.shelf(ReportedFigureRow)
_SAID = ("account_id", "value", "unit")

DAY_FIGURES = """
    SELECT tenant, account_id, day, measure, 1 AS n, total
    FROM (
        SELECT DISTINCT ON (m.tenant, m.account_id, m.day, r.measure, r.unit)
               m.tenant, m.account_id, m.day,
               CASE WHEN r.money THEN r.measure || '-reported:' || r.unit ELSE r.measure END AS measure,
               CASE WHEN r.money THEN r.value ELSE r.value / 100 END AS total
        FROM marked AS m
        CROSS JOIN LATERAL (
            SELECT * FROM reported_figure
            WHERE tenant = m.tenant AND account_id = m.account_id AND period_end = m.day OFFSET 0
        ) AS r
        WHERE r.money OR r.measure = 'share-of-wallet'
        ORDER BY m.tenant, m.account_id, m.day, r.measure, r.unit, r.period_start DESC, r.recorded_at DESC, r.id
    ) AS reported
"""
"""Reported money and shares of wallet (0 to 1) by the last day of their period, for day buckets: of days ``marked``.

Where a month, a quarter and a year end on one day the shortest counts, so that sums count nothing twice; of two
sources the one that spoke last.
"""

_VIEW = "id, source, revision, account_id, measure, period_start, period_end, value, unit, money, recorded_at, author"

_FILTERS = {
    "account_id": "account_id = :account_id",
    "measure": "measure = :measure",
    "source": "source = :source",
    "unmatched": "account_id IS NULL",
    "from_": "period_end >= :from_",
    "to": "period_end < :to",
}


def figure_id(tenant: str, source: str, account: Reference, measure: str, start: date, end: date) -> UUID:
    """The id of a figure: a source says one value of an account, as it names it, a measure and a period."""
    name = (account.kind, account.source, account.value)
    return opaque_id(tenant, "figure", source, *name, measure, start.isoformat(), end.isoformat())


async def accept(
    uow: UnitOfWork, tenant: str, items: Sequence[Record | DomainError | Problem], *, author: str
) -> list[ItemResult]:
    """Take in figures, each once, and say what they change; gives a result for each item."""
    results, changes = await records.take(uow, _SHELF, tenant, items, author=author)
    await _follow(uow, changes)
    return results


async def match(uow: UnitOfWork, claims: Sequence[Claimed]) -> None:
    """Give figures to the accounts that newly have the names they were told under; these are locked."""
    await _follow(uow, await records.match(uow.session, _SHELF, claims))


async def _follow(uow: UnitOfWork, changes: Sequence[Kept]) -> None:
    sides = [side for kept in changes for side in kept.sides()]
    await figures.mark(uow.session, {(side["tenant"], side["account_id"], side["period_end"]) for side in sides})
    _say(uow, changes)


def _say(uow: UnitOfWork, changes: Sequence[Kept]) -> None:
    for kept in changes:
        before, after = kept.before, kept.after
        if after["account_id"] is None or (before and all(before[name] == after[name] for name in _SAID)):
            continue
        data = MetricMeasured(
            account_id=after["account_id"],
            metric=after["measure"],
            value=float(after["value"]),
            unit=after["unit"],
            n=None,
            standard_error=None,
            period_start=_midnight(after["period_start"]),
            period_end=_midnight(after["period_end"] + timedelta(days=1)),
            measured_at=uow.now,
        )
        uow.emit(Event.of(data, tenant=after["tenant"], subject=str(after["account_id"]), time=uow.now))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


async def listed(
    session: AsyncSession, tenant: str, filters: Mapping[str, Any], *, after: Sequence[Any] | None, limit: int
) -> Sequence[Row[Any]]:
    """Figures that fit, the latest period first, from a position (last day, id) on."""
    given = {name: value for name, value in filters.items() if value}
    where = ["tenant = :tenant", *(_FILTERS[name] for name in given)]
    if after is not None:
        where.append("(period_end, id) < (CAST(:at AS date), CAST(:id AS uuid))")
        given |= {"at": after[0], "id": after[1]}
    query = (
        f"SELECT {_VIEW} FROM reported_figure WHERE {' AND '.join(where)} "
        "ORDER BY period_end DESC, id DESC LIMIT :limit"
    )
    return (await session.execute(text(query), {"tenant": tenant, "limit": limit, **given})).all()
