"""What happens because time passes: rows with a due time are claimed, handed to their handler, and moved on."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import Row, func, select
from sqlmodel import SQLModel

from bellwether_kit.db.unit_of_work import Database, UnitOfWork
from bellwether_kit.events.batches import is_transient
from bellwether_kit.faults import fault_point
from bellwether_kit.metrics import TIMERS_FIRED

log = structlog.get_logger(__name__)

POLL_SECONDS = 0.25
LAST_BACKOFF = 30.0


@dataclass(frozen=True, slots=True)
class Timer:
    """``handle`` gets the rows of ``table`` whose ``due`` column has passed, claimed for its transaction.

    It must move or clear the due time of every row it gets, or they come again at once. ``batch`` rows at most
    are taken at a time; other workers take others. ``side_by_side`` says how many batches one worker has in hand, so
    that Python works on one while the database works on another.
    """

    name: str
    table: type[SQLModel]
    due: Any
    handle: Callable[[UnitOfWork, Sequence[Row[Any]]], Awaitable[None]]
    batch: int = 1_000
    side_by_side: int = 1


async def fire(database: Database, timer: Timer) -> int:
    """Handle one batch of due rows in one transaction; gives how many there were."""
    columns = timer.table.__table__.columns  # type: ignore[attr-defined]
    async with database.unit_of_work(None) as uow:
        due = (
            select(*columns)
            .where(timer.due <= uow.now)
            .order_by(timer.due)
            .limit(timer.batch)
            .with_for_update(skip_locked=True)
        )
        rows = (await uow.session.execute(due)).all()
        if rows:
            fault_point("in-timer")
            await timer.handle(uow, rows)
    TIMERS_FIRED.labels(timer.name).inc(len(rows))
    return len(rows)


async def count_due(database: Database, timers: Sequence[Timer]) -> int:
    """How many rows are due now and not handled yet, over all ``timers``."""
    total = 0
    async with database.read(None) as session:
        for timer in timers:
            counted = select(func.count()).select_from(timer.table).where(timer.due <= database.clock.now())
            total += (await session.execute(counted)).scalar_one()
    return total


class TimerLoop:
    """Looks for due rows of one timer, over and over, until it is asked to stop."""

    def __init__(self, database: Database, timer: Timer) -> None:
        self._database = database
        self._timer = timer
        self._stopping = asyncio.Event()
        self.fired = 0

    def stop(self) -> None:
        """Return from :meth:`run` after the batch in hand."""
        self._stopping.set()

    async def run(self) -> None:
        """Fire until :meth:`stop`; failures are logged and tried again, less and less often."""
        failures = 0
        while not self._stopping.is_set():
            try:
                count = await fire(self._database, self._timer)
                self.fired += count
                failures = 0
                wait = 0.0 if count == self._timer.batch else POLL_SECONDS
            except Exception as error:  # noqa: BLE001 (it is logged, and the rows stay due)
                failures += 1
                say = log.warning if is_transient(error) else log.error
                say("timer.failed", timer=self._timer.name, failures=failures, exc_info=error)
                wait = min(LAST_BACKOFF, POLL_SECONDS * 2**failures)
            await self._rest(wait)

    async def _rest(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return


def loops_of(database: Database, timers: Sequence[Timer]) -> list[TimerLoop]:
    """The loops of one worker: for each timer as many as it has batches side by side."""
    return [TimerLoop(database, timer) for timer in timers for _ in range(timer.side_by_side)]
