"""A worker of this service that dies at any point of its code, over alerts, deadlines, or what is unreadable."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from bellwether_kit.clock import FixedClock
from bellwether_kit.testing.crashes import AROUND, BATCH, in_cases
from bellwether_kit.testing.service import Mailbox, Record


class Story:
    """An alert that opens a play, whose steps become overdue, and that resolves."""

    def __init__(self, mailbox: Mailbox, clock: FixedClock, account: Any, alert: Any) -> None:
        self.mailbox, self.clock, self.account, self.alert = mailbox, clock, account, alert

    async def known(self) -> None:
        await self.mailbox.deliver(self.account())

    async def open(self) -> None:
        await self.known()
        await self.mailbox.deliver(self.alert("opened", 1))
        await self.mailbox.fire_timers()

    async def overdue(self) -> None:
        await self.open()
        self.clock.advance(timedelta(days=30))

    def opened(self) -> Sequence[Record]:
        return self.mailbox.records(self.alert("opened", 1))

    def resolved(self) -> Sequence[Record]:
        return self.mailbox.records(self.alert("resolved", 2))

    def garbage(self) -> Sequence[Record]:
        return [*self.opened(), self.mailbox.record("account-alerts", b"garbage")]

    def nothing(self) -> Sequence[Record]:
        return []


@pytest.fixture
def story(mailbox: Mailbox, clock: FixedClock, account: Any, alert: Any) -> Story:
    return Story(mailbox, clock, account, alert)


CASES = [
    *(("known", "opened", point) for point in (*BATCH, *AROUND)),
    *(("open", "resolved", point) for point in ("after-write", "after-commit")),
    ("known", "garbage", "in-dead-letter"),
    *(("overdue", "nothing", point) for point in ("in-timer", *AROUND)),
]

test_a_worker_that_dies_and_starts_again_ends_as_one_that_lived = in_cases(CASES)
