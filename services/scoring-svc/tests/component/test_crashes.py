"""A worker that dies at any point of its code, over evidence, an alert that opens or resolves, or what is due."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import UUID

import pytest

from bellwether_kit.testing.crashes import AROUND, in_cases
from bellwether_kit.testing.service import Record

FALL = ("call-unreturned", "call-unreturned", "call-unreturned", "meeting-declined")


class Story:
    """An account that falls and recovers, in batches."""

    def __init__(self, world: Any, saying: Any) -> None:
        self.world, self.saying = world, saying
        self.numbers = count(1)

    def evidence(self, kind: str) -> Any:
        """A piece of evidence whose id is the same in every telling of the story."""
        return self.world.evidence(kind, evidence_id=UUID(int=next(self.numbers)))

    async def known(self) -> None:
        self.numbers = count(1)
        await self.world.tell(self.saying.account(known_since=self.world.clock.now() - timedelta(days=1)))

    async def fallen(self) -> None:
        await self.known()
        await self.world.mailbox.process(*self.fall())
        assert [alert["status"] for alert in await self.world.alerts()] == ["open"]

    async def fallen_long_ago(self) -> None:
        await self.fallen()
        self.world.clock.advance(timedelta(days=3))

    def fall(self) -> Sequence[Record]:
        return self.records(*(self.evidence(kind) for kind in FALL))

    def recovery(self) -> Sequence[Record]:
        good = [self.evidence(kind) for kind in ("call-returned", "meeting-held")]
        return self.records(*good, self.saying.touch(last_two_way_at=self.world.clock.now()))

    def garbage(self) -> Sequence[Record]:
        return [*self.fall(), self.world.mailbox.record("client-evidence", b"garbage")]

    def nothing(self) -> Sequence[Record]:
        return []

    def records(self, *said: Any) -> Sequence[Record]:
        return list(self.world.mailbox.records(*said))


@pytest.fixture
def story(world: Any, saying: Any) -> Story:
    return Story(world, saying)


CASES = [
    *(("known", "fall", point) for point in ("before-write", "after-write", "in-alert", *AROUND)),
    *(("fallen", "recovery", point) for point in ("before-inbox", "after-inbox", "in-alert", *AROUND)),
    ("known", "garbage", "in-dead-letter"),
    *(("fallen_long_ago", "nothing", point) for point in ("in-timer", *AROUND)),
]

test_a_worker_that_dies_and_starts_again_ends_as_one_that_lived = in_cases(CASES)
