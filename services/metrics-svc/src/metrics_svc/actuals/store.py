"""All SQL of actuals: keeping each once, and saying those that changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from bellwether_kit.db import UnitOfWork
from bellwether_kit.events import Event
from bellwether_kit.ids import opaque_id
from metrics_svc.activities.rules import Status, statuses
from metrics_svc.published import MetricMeasured

_KNOWN = text("""
    SELECT day, source, revision FROM kpi_actual
    JOIN unnest(CAST(:days AS date[]), CAST(:sources AS text[])) AS wanted(day, source) USING (day, source)
    WHERE tenant = :tenant AND kpi_id = :kpi_id
""")

_KEEP = text("""
    INSERT INTO kpi_actual AS kept (tenant, kpi_id, day, source, revision, value, recorded_at, author)
    SELECT :tenant, :kpi_id, day, source, revision, value, :now, :author
    FROM unnest(CAST(:days AS date[]), CAST(:sources AS text[]), CAST(:revisions AS bigint[]),
                CAST(:values AS numeric[])) AS told(day, source, revision, value)
    ON CONFLICT (tenant, kpi_id, day, source) DO UPDATE
    SET revision = EXCLUDED.revision, value = EXCLUDED.value, recorded_at = EXCLUDED.recorded_at,
        author = EXCLUDED.author
    RETURNING WITH (OLD AS before, NEW AS after)
        after.day, after.value, before.value IS DISTINCT FROM after.value AS changed
""")

_LISTED = text("""
    SELECT day, source, value, revision, recorded_at, author FROM kpi_actual
    WHERE tenant = :tenant AND kpi_id = :kpi_id
      AND (CAST(:day AS date) IS NULL OR (day, source) < (CAST(:day AS date), CAST(:source AS text)))
    ORDER BY day DESC, source DESC LIMIT :limit
""")


@dataclass(frozen=True, slots=True)
class Actual:
    """What a KPI came to on a day, as a source says."""

    day: date
    source: str
    revision: int
    value: Decimal

    @property
    def id(self) -> UUID:
        """What is the same actual of one KPI, whatever its revision."""
        return opaque_id("", self.day.isoformat(), self.source)


async def accept(uow: UnitOfWork, kpi: Row[Any], told: Sequence[Actual], *, author: str) -> list[Status]:
    """Keep actuals of a locked KPI, each once, and say those whose value changed; gives what became of each."""
    known = await _known(uow.session, kpi, told)
    became = statuses([(actual.id, actual.revision) for actual in told], known)
    stored = {Status.ACCEPTED, Status.CORRECTED}
    latest = {actual.id: actual for actual, status in zip(told, became, strict=True) if status in stored}
    kept = sorted(latest.values(), key=lambda actual: (actual.day, actual.source))
    if kept:
        arrays = {
            **_keys(kpi, kept),
            "revisions": [actual.revision for actual in kept],
            "values": [actual.value for actual in kept],
        }
        rows = (await uow.session.execute(_KEEP, {**arrays, "now": uow.now, "author": author})).all()
        for row in sorted((row for row in rows if row.changed), key=lambda row: row.day):
            _say(uow, kpi, row)
    return became


async def _known(session: AsyncSession, kpi: Row[Any], told: Sequence[Actual]) -> Mapping[UUID, int]:
    rows = await session.execute(_KNOWN, _keys(kpi, told))
    return {Actual(row.day, row.source, 0, Decimal(0)).id: row.revision for row in rows}


def _keys(kpi: Row[Any], told: Sequence[Actual]) -> dict[str, Any]:
    keys = {"days": [actual.day for actual in told], "sources": [actual.source for actual in told]}
    return {"tenant": kpi.tenant, "kpi_id": kpi.kpi_id, **keys}


def _say(uow: UnitOfWork, kpi: Row[Any], row: Row[Any]) -> None:
    data = MetricMeasured(
        account_id=kpi.account_id,
        metric=f"kpi:{kpi.code}",
        value=float(row.value),
        unit=kpi.unit,
        n=None,
        standard_error=None,
        period_start=None,
        period_end=datetime.combine(row.day, time(), UTC),
        measured_at=uow.now,
    )
    uow.emit(Event.of(data, tenant=kpi.tenant, subject=str(kpi.account_id), time=uow.now))


async def listed(
    session: AsyncSession, tenant: str, kpi_id: UUID, *, after: Sequence[Any] | None, limit: int
) -> Sequence[Row[Any]]:
    """Actuals, the latest first, from a position (day, source) on."""
    day, source = after or (None, None)
    given = {"tenant": tenant, "kpi_id": kpi_id, "day": day, "source": source, "limit": limit}
    return (await session.execute(_LISTED, given)).all()
