"""All SQL of retention: a tenant's limits, and one step of a run at a time."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from bellwether_kit.db import UnitOfWork, one_at_a_time
from bellwether_kit.ids import uuid7
from metrics_svc.activities.rules import EARLIEST, NOBODY
from metrics_svc.anonymity.store import Span, blank_names, blank_texts
from metrics_svc.inbound.store import remove_old
from metrics_svc.retention.rules import EVERY, Limits

CHUNK = 5_000
"""How many activities one step looks through, and how many deliveries it removes at most."""

Place = tuple[datetime, UUID]
"""Where among the activities a run is: time and id."""

_LATEST = text("""
    SELECT version, activity_text_days, activity_days, delivery_days, author, reason, changed_at
    FROM retention_limits WHERE tenant = :tenant AND version < :before ORDER BY version DESC LIMIT :limit
""")

_ADD = text("""
    INSERT INTO retention_limits (tenant, version, activity_text_days, activity_days, delivery_days, author, reason,
                                  changed_at)
    VALUES (:tenant, :version, :activity_text_days, :activity_days, :delivery_days, :author, :reason, :now)
""")


# A run in hand begins again under the new limits.
_AHEAD = text("""
    INSERT INTO retention_run (tenant, run_id, due_at, texts, names, deliveries) VALUES (:tenant, :id, :due_at, 0, 0, 0)
    ON CONFLICT (tenant) WHERE finished_at IS NULL DO UPDATE
    SET due_at = EXCLUDED.due_at, version = NULL, walked_at = NULL, walked_to = NULL
""")

_RUNS = text("""
    SELECT run_id AS id, started_at, finished_at, version, texts, names, deliveries FROM retention_run
    WHERE tenant = :tenant AND started_at IS NOT NULL AND (CAST(:after AS uuid) IS NULL OR run_id < :after)
    ORDER BY run_id DESC LIMIT :limit
""")

_END = text("""
    SELECT occurred_at, activity_id FROM (
        SELECT occurred_at, activity_id FROM activity
        WHERE tenant = :tenant AND occurred_at < :before AND (occurred_at, activity_id) > (:at, CAST(:id AS uuid))
        ORDER BY occurred_at, activity_id LIMIT :limit
    ) AS chunk ORDER BY occurred_at DESC, activity_id DESC LIMIT 1
""")

_GO_ON = text("""
    UPDATE retention_run
    SET started_at = coalesce(started_at, :now), version = :version, walked_at = :at, walked_to = :id,
        texts = texts + :texts, names = names + :names, deliveries = deliveries + :deliveries
    WHERE tenant = :tenant AND run_id = :run_id
""")

_FINISH = text("""
    UPDATE retention_run SET started_at = coalesce(started_at, :now), finished_at = :now, due_at = NULL
    WHERE tenant = :tenant AND run_id = :run_id
""")


async def versions(
    session: AsyncSession, tenant: str, *, before: int = 2**31 - 1, limit: int = 1
) -> Sequence[Row[Any]]:
    """Versions of a tenant's limits, the newest first."""
    return (await session.execute(_LATEST, {"tenant": tenant, "before": before, "limit": limit})).all()


async def lock(session: AsyncSession, tenant: str) -> None:
    """Let one change of a tenant's limits at a time look at the last version."""
    await one_at_a_time(session, f"retention/{tenant}")


async def add(uow: UnitOfWork, tenant: str, version: int, limits: Limits, *, author: str, reason: str) -> None:
    """Add a version of a tenant's limits, to be applied at once and every day from then on."""
    given = {name: getattr(limits, name) for name in ("activity_text_days", "activity_days", "delivery_days")}
    said = {"version": version, "author": author, "reason": reason, "now": uow.now}
    await uow.session.execute(_ADD, {"tenant": tenant, **given, **said})
    await _run_at(uow, tenant, uow.now)


async def _run_at(uow: UnitOfWork, tenant: str, due_at: datetime) -> None:
    await uow.session.execute(_AHEAD, {"tenant": tenant, "id": uuid7(), "due_at": due_at})


async def runs(session: AsyncSession, tenant: str, *, after: str | None, limit: int) -> Sequence[Row[Any]]:
    """The runs that have begun, the latest first, from an id on."""
    return (await session.execute(_RUNS, {"tenant": tenant, "after": after, "limit": limit})).all()


async def step(uow: UnitOfWork, run: Row[Any]) -> None:
    """Apply the limits to the next activities and deliveries of a run; at the end have the next one due a day later."""
    [latest] = await versions(uow.session, run.tenant)
    limits = Limits(latest.activity_text_days, latest.activity_days, latest.delivery_days)
    as_of = run.started_at or uow.now
    texts_before, deliveries_before = limits.texts_before(as_of), limits.deliveries_before(as_of)
    start = (run.walked_at or EARLIEST, run.walked_to or NOBODY)
    given = {"tenant": run.tenant, "run_id": run.run_id, "now": uow.now}
    end = await _end(uow.session, run.tenant, start, texts_before) if texts_before else None
    deliveries = await remove_old(uow.session, run.tenant, deliveries_before, CHUNK) if deliveries_before else 0
    if end is None and deliveries == 0:
        await uow.session.execute(_FINISH, given)
        if texts_before or deliveries_before:
            await _run_at(uow, run.tenant, as_of + EVERY)
        return
    texts, names = await _blank(uow.session, run.tenant, start, end, limits, as_of) if end else (0, 0)
    at, id_ = end or start
    taken = {"texts": texts, "names": names, "deliveries": deliveries}
    await uow.session.execute(_GO_ON, {**given, **taken, "at": at, "id": id_, "version": latest.version})


async def _end(session: AsyncSession, tenant: str, start: Place, before: datetime) -> Place | None:
    """The last of the next activities; None when there are no more."""
    chunk = {"tenant": tenant, "at": start[0], "id": start[1], "before": before, "limit": CHUNK}
    row = (await session.execute(_END, chunk)).first()
    return None if row is None else (row.occurred_at, row.activity_id)


async def _blank(
    session: AsyncSession, tenant: str, start: Place, end: Place, limits: Limits, as_of: datetime
) -> tuple[int, int]:
    """In how many activities there were texts to take out, and names."""
    texts_before, names_before = limits.texts_before(as_of), limits.names_before(as_of)
    texts = await blank_texts(session, Span(tenant, start, end, texts_before)) if texts_before else 0
    return texts, await blank_names(session, Span(tenant, start, end, names_before)) if names_before else 0
