"""Remembering which events took effect, in the transaction of the effect."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text

from bellwether_kit.db.unit_of_work import UnitOfWork
from bellwether_kit.faults import fault_point

_CLAIM = text("""
    INSERT INTO inbox (consumer, event_id, received_at)
    SELECT :consumer, event_id, clock_timestamp() FROM unnest(CAST(:ids AS uuid[])) AS event_id ORDER BY event_id
    ON CONFLICT DO NOTHING
    RETURNING event_id
""")


_FORGET = text("DELETE FROM inbox WHERE consumer = :consumer AND event_id = :id")


async def claim(uow: UnitOfWork, consumer: str, event_ids: Sequence[UUID]) -> set[UUID]:
    """Mark ``event_ids`` as taken by ``consumer``; gives those that nobody took before."""
    if not event_ids:
        return set()
    fault_point("before-inbox")
    result = await uow.session.execute(_CLAIM, {"consumer": consumer, "ids": list(event_ids)})
    fault_point("after-inbox")
    return set(result.scalars())


async def forget(uow: UnitOfWork, consumer: str, event_id: UUID) -> None:
    """Let ``event_id`` be claimed by ``consumer`` once more: it was marked as taken without effect."""
    await uow.session.execute(_FORGET, {"consumer": consumer, "id": event_id})
