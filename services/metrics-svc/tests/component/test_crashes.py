"""A worker of this service that dies at any point of its code: over accounts, deadlines, and what is unreadable."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from bellwether_kit.testing.crashes import AROUND, BATCH, Crashes, in_cases
from bellwether_kit.testing.service import Record


class Story:
    """A call that nobody returns, and the account that it was about."""

    def __init__(self, crm: Any, changed: Any) -> None:
        self.crm, self.changed = crm, changed

    async def unknown(self) -> None:
        """Nothing happened yet."""

    async def waiting(self) -> None:
        """Calls came before their account."""
        assert await self.crm.statuses(self.crm.call(1), self.crm.call(2)) == ["unmatched"] * 2

    async def overdue(self) -> None:
        """Nobody returned a call within its window, and no worker has looked since."""
        await self.crm.mailbox.deliver(self.changed())
        assert await self.crm.statuses(self.crm.call(1)) == ["accepted"]
        await self.crm.mailbox.fire_timers()
        self.crm.clock.advance(timedelta(days=3))

    def account(self) -> Sequence[Record]:
        return list(self.crm.mailbox.records(self.changed()))

    def garbage(self) -> Sequence[Record]:
        return [*self.account(), self.crm.mailbox.record("accounts", b"garbage")]

    def nothing(self) -> Sequence[Record]:
        return []


@pytest.mark.parametrize(
    ("point", "again"),
    [
        ("before-outbox", "accepted"),
        ("after-outbox", "accepted"),
        ("before-commit", "accepted"),
        ("after-commit", "duplicate"),
    ],
)
async def test_what_an_api_that_dies_did_not_answer_is_posted_again_and_counts_once(
    crashes: Crashes, crm: Any, account: Any, outbox: Any, point: str, again: str
) -> None:
    meeting = crm.call(1, "declined", type="meeting", direction=None)
    body = {"items": [meeting]}
    said = outbox()
    await crashes.in_a_request(point, lambda api: api.post("/v1/activities", json=body, headers=crm.headers))
    assert await crm.statuses(meeting) == [again]
    assert await crm.standing() == ["meeting-declined"]
    assert len(crm.mailbox.admin("SELECT * FROM activity")) == 1
    assert [one.type for one in outbox()[len(said) :]].count("client.evidence.recorded.v1") == 1


@pytest.fixture
def story(crm: Any, changed: Any) -> Story:
    return Story(crm, changed)


CASES = [
    *(("waiting", "account", point) for point in (*BATCH, "before-commit", "after-commit")),
    ("unknown", "garbage", "in-dead-letter"),
    *(("overdue", "nothing", point) for point in ("in-timer", *AROUND)),
]

test_a_worker_that_dies_and_starts_again_ends_as_one_that_lived = in_cases(CASES)
