"""Timers on a real PostgreSQL."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sample.service import Seen, Thing, expire
from sqlalchemy import Row

from bellwether_kit.clock import FixedClock
from bellwether_kit.db import Database, UnitOfWork
from bellwether_kit.testing import eventually
from bellwether_kit.testing.service import Mailbox
from bellwether_kit.timers import Timer, loops_of


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

    loops = loops_of(database, [Timer("expiry", Thing, Thing.due_at, meet, batch=2, side_by_side=2)])
    running = [asyncio.create_task(loop.run()) for loop in loops]
    await eventually(lambda: len(taken) == 4)
    for loop in loops:
        loop.stop()
    await asyncio.gather(*running)
    assert sorted(taken) == [UUID(int=n) for n in range(1, 5)]
    assert [loop.fired for loop in loops] == [2, 2]
