"""A worker of this service that dies at any point of its code: over accounts, due coverage, and what is unreadable."""

from collections.abc import Sequence
from typing import Any

import pytest

from bellwether_kit.testing.crashes import AROUND, in_cases
from bellwether_kit.testing.service import Mailbox, Record


class Story:
    """An account with people, which is described anew or removed, and whose coverage falls due."""

    def __init__(self, mailbox: Mailbox, account: Any, put: Any) -> None:
        self.mailbox, self.account, self.put = mailbox, account, put

    async def peopled(self) -> None:
        """People of a known account, each with the id that it always gets."""
        await self.mailbox.deliver(self.account())
        people = [{"external_ids": [{"source": "crm", "external_id": f"p-{n}"}], "name": f"P {n}"} for n in range(3)]
        await self.put(*people)
        await self.mailbox.fire_timers()

    async def due(self) -> None:
        """Coverage is to be looked at again, and no worker has."""
        await self.peopled()
        self.mailbox.admin("UPDATE coverage SET due_at = '2020-01-01Z', people = 99 RETURNING tenant")

    def renamed(self) -> Sequence[Record]:
        return self.mailbox.records(self.account(version=2, name="Acme and Sons"))

    def removed(self) -> Sequence[Record]:
        return self.mailbox.records(self.account(version=2, removed=True))

    def garbage(self) -> Sequence[Record]:
        return [*self.renamed(), self.mailbox.record("accounts", b"garbage")]

    def nothing(self) -> Sequence[Record]:
        return []


@pytest.fixture
def story(mailbox: Mailbox, account: Any, put: Any) -> Story:
    return Story(mailbox, account, put)


CASES = [
    *(("peopled", "renamed", point) for point in ("before-write", "after-write", "before-commit", "after-commit")),
    *(("peopled", "removed", point) for point in ("after-write", *AROUND)),
    ("peopled", "garbage", "in-dead-letter"),
    *(("due", "nothing", point) for point in ("in-timer", *AROUND)),
]

test_a_worker_that_dies_and_starts_again_ends_as_one_that_lived = in_cases(CASES)
