"""Timers on a real PostgreSQL."""

from datetime import timedelta
from uuid import UUID

from sample.service import Seen

from bellwether_kit.clock import FixedClock
from bellwether_kit.testing.service import Mailbox


async def test_due_rows_fire_once_and_rows_not_due_stay(mailbox: Mailbox, clock: FixedClock) -> None:
    await mailbox.deliver(Seen(account_id=UUID(int=1), times=1))
    clock.advance(-timedelta(seconds=1))
    assert await mailbox.fire_timers() == 0
    clock.advance(timedelta(seconds=1))
    assert await mailbox.fire_timers() == 1
    assert await mailbox.fire_timers() == 0
