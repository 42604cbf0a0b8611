"""What happens because time passes: rows with a due time are claimed, handed to their handler, and moved on."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import Row, TextClause, select, text
from sqlmodel import SQLModel

from bellwether_kit.db.unit_of_work import Database, UnitOfWork
from bellwether_kit.events.batches import is_transient
from bellwether_kit.faults import fault_point
from bellwether_kit.metrics import TIMERS_FIRED

log = structlog.get_logger(__name__)

POLL_SECONDS = 0.1
FIRST_BACKOFF = 0.25
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
    counted = " + ".join(f"(SELECT count(*) FROM {_table(timer)} WHERE {_due(timer)} <= :now)" for timer in timers)
    async with database.read(None) as session:
        return int((await session.execute(text(f"SELECT {counted}"), {"now": database.clock.now()})).scalar_one())


class TimerLoops:
    """Fires the timers of one worker until it is asked to stop.

    One look, a statement for all of them, says which have something due: to open a transaction for each would keep a
    worker busy that has nothing to do.
    """

    def __init__(self, database: Database, timers: Sequence[Timer]) -> None:
        self._database = database
        self._loops = [[_Loop(database, timer) for _ in range(timer.side_by_side)] for timer in timers]
        self._look = _look(timers)
        self._stopping = asyncio.Event()

    @property
    def fired(self) -> int:
        """How many rows were handled."""
        return sum(loop.fired for loops in self._loops for loop in loops)

    def stop(self) -> None:
        """Return from :meth:`run` after the batches in hand."""
        self._stopping.set()
        for loops in self._loops:
            for loop in loops:
                loop.stop()

    async def run(self) -> None:
        """Fire until :meth:`stop`; failures are logged and tried again, less and less often."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch())
            for loops in self._loops:
                for loop in loops:
                    group.create_task(loop.run())

    async def _watch(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            wait = POLL_SECONDS
            try:
                await self._wake()
                failures = 0
            except Exception as error:  # noqa: BLE001 (it is logged, and the next look sees the same rows)
                failures += 1
                say = log.warning if is_transient(error) else log.error
                say("timers.not_seen", failures=failures, exc_info=error)
                wait = _backoff(failures)
            await _rest(self._stopping, wait)

    async def _wake(self) -> None:
        async with self._database.read(None) as session:
            seen = (await session.execute(self._look, {"now": self._database.clock.now()})).one()
        for is_due, loops in zip(seen, self._loops, strict=True):
            if is_due:
                for loop in loops:
                    loop.wake()


class _Loop:
    """Handles batch after batch of one timer whenever it is woken."""

    def __init__(self, database: Database, timer: Timer) -> None:
        self._database = database
        self._timer = timer
        self._woken = asyncio.Event()
        self._stopping = asyncio.Event()
        self.fired = 0

    def wake(self) -> None:
        """Look for due rows."""
        self._woken.set()

    def stop(self) -> None:
        """Return from :meth:`run` after the batch in hand."""
        self._stopping.set()
        self._woken.set()

    async def run(self) -> None:
        failures = 0
        while await self._woken.wait() and not self._stopping.is_set():
            self._woken.clear()
            try:
                count = await fire(self._database, self._timer)
            except Exception as error:  # noqa: BLE001 (it is logged, and the rows stay due)
                failures += 1
                say = log.warning if is_transient(error) else log.error
                say("timer.failed", timer=self._timer.name, failures=failures, exc_info=error)
                await _rest(self._stopping, _backoff(failures))
                continue
            failures = 0
            self.fired += count
            if count == self._timer.batch:
                self._woken.set()


def _look(timers: Sequence[Timer]) -> TextClause:
    """For each timer whether its earliest row is due; NULL without any row.

    Each part names no instant: a plan that is made for any instant would read the whole table.
    """
    earliest = "SELECT {due} FROM {table} WHERE {due} IS NOT NULL ORDER BY {due} LIMIT 1"
    parts = [earliest.format(due=_due(timer), table=_table(timer)) for timer in timers]
    return text("SELECT " + ", ".join(f"({part}) <= :now AS due_{n}" for n, part in enumerate(parts)))


def _table(timer: Timer) -> str:
    return str(timer.table.__tablename__)


def _due(timer: Timer) -> str:
    return str(timer.due.key)


def _backoff(failures: int) -> float:
    return min(LAST_BACKOFF, FIRST_BACKOFF * 2.0**failures)


async def _rest(stopping: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stopping.wait()
    except TimeoutError:
        return
