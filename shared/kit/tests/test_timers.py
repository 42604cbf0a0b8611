"""Timers on a real PostgreSQL."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sample.service import TIMERS, Seen, Thing, expire
from sqlalchemy import Row, event
from structlog.testing import capture_logs

from bellwether_kit.clock import FixedClock
from bellwether_kit.db import Database, UnitOfWork
from bellwether_kit.testing import eventually
from bellwether_kit.testing.service import Mailbox
from bellwether_kit.timers import Timer, TimerLoops


async def test_due_rows_fire_once_and_rows_not_due_stay(mailbox: Mailbox, clock: FixedClock) -> None:
    await mailbox.deliver(Seen(account_id=UUID(int=1), times=1))
    clock.advance(-timedelta(seconds=1))
    assert await mailbox.fire_timers() == 0
    clock.advance(timedelta(seconds=1))
    assert await mailbox.fire_timers() == 1
    assert await mailbox.fire_timers() == 0


async def test_batches_side_by_side_are_in_hand_at_the_same_time_and_share_no_row(
    mailbox: Mailbox, clock: FixedClock, database: Database
) -> None:
    await mailbox.deliver(*(Seen(account_id=UUID(int=n), times=1) for n in range(1, 5)))
    clock.advance(timedelta(days=1))
    met, taken = asyncio.Barrier(2), []

    async def meet(uow: UnitOfWork, rows: Sequence[Row[Any]]) -> None:
        async with asyncio.timeout(20):
            await met.wait()
        taken.extend(row.id for row in rows)
        await expire(uow, rows)

    loops = TimerLoops(database, [Timer("expiry", Thing, Thing.due_at, meet, batch=2, side_by_side=2)])
    running = asyncio.create_task(loops.run())
    await eventually(lambda: len(taken) == 4)
    loops.stop()
    await running
    assert sorted(taken) == [UUID(int=n) for n in range(1, 5)]
    assert loops.fired == 4


async def test_what_cannot_be_looked_at_or_handled_is_tried_again_until_it_can(
    mailbox: Mailbox, clock: FixedClock, database: Database
) -> None:
    await mailbox.deliver(Seen(account_id=UUID(int=1), times=1))
    clock.advance(timedelta(days=1))
    tries = 0

    async def fail_once(uow: UnitOfWork, rows: Sequence[Row[Any]]) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise RuntimeError("not now")
        await expire(uow, rows)

    loops = TimerLoops(database, [Timer("expiry", Thing, Thing.due_at, fail_once)])
    mailbox.admin("ALTER TABLE thing RENAME TO elsewhere")
    with capture_logs() as said:
        running = asyncio.create_task(loops.run())
        await eventually(lambda: "timers.not_seen" in [line["event"] for line in said])
        mailbox.admin("ALTER TABLE elsewhere RENAME TO thing")
        await eventually(lambda: loops.fired == 1)
    loops.stop()
    await running
    assert [line["timer"] for line in said if line["event"] == "timer.failed"] == ["expiry"]
    assert tries == 2


class CountingClock(FixedClock):
    """Counts how often it is read: a look at the timers reads it once."""

    read = 0

    def now(self) -> datetime:
        self.read += 1
        return super().now()


async def test_where_nothing_is_due_no_transaction_is_opened(
    mailbox: Mailbox, clock: FixedClock, database: Database
) -> None:
    await mailbox.deliver(Seen(account_id=UUID(int=1), times=1))
    database.clock = early = CountingClock(clock.now() - timedelta(seconds=1))
    opened: list[Any] = []
    event.listen(database.engine.sync_engine, "checkout", lambda *how: opened.append(how))
    loops = TimerLoops(database, TIMERS)
    running = asyncio.create_task(loops.run())

    await eventually(lambda: early.read >= 3)
    assert opened == []
    early.advance(timedelta(seconds=1))
    await eventually(lambda: loops.fired == 1)

    loops.stop()
    await running
    assert len(opened) >= 1
