"""One polled batch, from records to a committed transaction; on poison it bisects. It knows no Kafka client."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from bellwether_kit.db.unit_of_work import Database, UnitOfWork
from bellwether_kit.events.dead_letters import Rejected, bury
from bellwether_kit.events.envelope import Malformed, Received
from bellwether_kit.events.inbox import claim, forget
from bellwether_kit.events.subscriptions import Decoder, Delivery, Handler, Poison, Subscription
from bellwether_kit.faults import fault_point

log = structlog.get_logger(__name__)

TRIES_OF_A_BUG = 5
TRIES_OF_A_CONFLICT = 3
_CONFLICTS = {"40001", "40P01"}  # serialization failure, deadlock: the same work succeeds when tried again
_AWAY = {"08", "53", "57"}  # SQLSTATE classes: connection, resources, operator intervention


@dataclass(slots=True)
class _Batch:
    """A batch's decoded deliveries and the records that could not be decoded."""

    deliveries: list[tuple[Any, Delivery]] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)


class BatchProcessor:
    """Takes batches of records to their handlers, each batch one transaction, every event once."""

    def __init__(self, database: Database, subscriptions: Sequence[Subscription], *, consumer: str) -> None:
        self._database = database
        self._consumer = consumer
        self._decoder = Decoder(subscriptions)
        self.topics = self._decoder.topics

    async def process(self, records: Sequence[Any]) -> int:
        """Handle ``records`` (of one or more partitions, in order); gives how many were dead-lettered now.

        A dead letter that is delivered again, after a crash or as its group is set back, is no news and not counted.

        Raises what is transient (see :func:`is_transient`) with nothing changed by the failed part: the caller
        waits and gives the same records again.
        """
        batch = _Batch()
        for record in records:
            try:
                delivery = self._decoder.decode(record)
            except Malformed as error:
                batch.rejected.append(Rejected(record, error.kind, str(error)))
            else:
                if delivery is not None:
                    batch.deliveries.append((record, delivery))
        return await self._handle(batch)

    async def redo(self, uow: UnitOfWork, record: Any, *, was_taken: bool) -> None:
        """Handle in ``uow`` a ``record`` that was dead-lettered, up to the rows of its events in the outbox.

        ``was_taken`` says that its event was marked as taken then, without effect. An event that had effect by another
        record since is left alone. Raises Malformed, Poison, and whatever else the handler raises.
        """
        delivery = self._decoder.decode(record)
        if delivery is None:
            return
        if was_taken:
            await forget(uow, self._consumer, delivery.event.id)
        await self._dispatch(uow, [delivery])
        await uow.session.flush()
        await uow.flush(self._database.source)

    async def _handle(self, batch: _Batch) -> int:
        """Try the batch as it is; when it fails by its content, its halves, and a single event as poison."""
        try:
            return await self._attempt(batch)
        except Exception as error:
            if is_transient(error):
                raise
            if not batch.deliveries:
                raise
            return await self._after_failure(batch, error)

    async def _after_failure(self, batch: _Batch, error: Exception) -> int:
        deliveries = batch.deliveries
        if len(deliveries) > 1:
            middle = len(deliveries) // 2
            first = await self._handle(_Batch(deliveries[:middle], batch.rejected))
            return first + await self._handle(_Batch(deliveries[middle:]))
        record, delivery = deliveries[0]
        if not isinstance(error, Poison):
            buried = await self._worked_after_all(batch)
            if buried is not None:
                return buried
        log.error("event.poisoned", event_id=str(delivery.event.id), type=delivery.event.type, exc_info=error)
        reason = Rejected(record, type(error).__name__, str(error) or repr(error))
        return await self._attempt(_Batch([], [*batch.rejected, reason]), taken=delivery)

    async def _worked_after_all(self, batch: _Batch) -> int | None:
        """Try again what may have been a passing failure; None when it does not go away."""
        for attempt in range(1, TRIES_OF_A_BUG):
            await asyncio.sleep(0.02 * 2**attempt)
            try:
                return await self._attempt(batch)
            except Poison:
                return None
            except Exception as error:
                if is_transient(error):
                    raise
                log.warning("event.failed", attempt=attempt + 1, error=repr(error))
        return None

    async def _attempt(self, batch: _Batch, *, taken: Delivery | None = None) -> int:
        """Handle the batch in one transaction; gives how many dead letters are new."""
        for attempt in range(1, TRIES_OF_A_CONFLICT + 1):
            try:
                async with self._database.unit_of_work(None) as uow:
                    if taken is not None:
                        await claim(uow, self._consumer, [taken.event.id])
                    buried = await bury(uow, self._consumer, batch.rejected)
                    await self._dispatch(uow, [delivery for _, delivery in batch.deliveries])
                return buried
            except DBAPIError as error:
                if _sqlstate(error) not in _CONFLICTS or attempt == TRIES_OF_A_CONFLICT:
                    raise
                await asyncio.sleep(0.01 * attempt)
        raise AssertionError("the last try ends or raises")

    async def _dispatch(self, uow: UnitOfWork, deliveries: Sequence[Delivery]) -> None:
        unique: dict[UUID, Delivery] = {}
        for delivery in deliveries:
            unique.setdefault(delivery.event.id, delivery)
        guarded = [id_ for id_, delivery in unique.items() if delivery.inbox]
        fresh = await claim(uow, self._consumer, guarded)
        by_handler: dict[Handler, list[Received[Any]]] = {}
        for delivery in unique.values():
            if not delivery.inbox or delivery.event.id in fresh:
                by_handler.setdefault(delivery.handler, []).append(delivery.event)
        for handler, events in by_handler.items():
            fault_point("before-write")
            await handler(uow, events)
            fault_point("after-write")


def _sqlstate(error: BaseException) -> str:
    return getattr(getattr(error, "orig", None), "sqlstate", None) or ""


def is_transient(error: BaseException) -> bool:
    """Whether ``error`` speaks of the surroundings (database away, timeout, conflict), not of the records."""
    if isinstance(error, TimeoutError | ConnectionError | PoolTimeout):
        return True
    if not isinstance(error, DBAPIError):
        return False
    state = _sqlstate(error)
    if error.connection_invalidated or state in _CONFLICTS or state[:2] in _AWAY or state == "55P03":
        return True
    return not state and isinstance(error, OperationalError | InterfaceError)
