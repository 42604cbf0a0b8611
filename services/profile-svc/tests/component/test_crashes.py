"""A worker of this service that dies at any point of its code: over healths, and over what is unreadable."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

import pytest

from bellwether_kit.events import Payload
from bellwether_kit.testing.crashes import Crashes
from bellwether_kit.testing.service import Mailbox, Record

NOW = datetime.fromisoformat("2026-03-02T09:00:00+00:00")
POINTS = ("before-write", "after-write", "before-commit", "after-commit", "in-dead-letter")


class HealthChanged(Payload, frozen=True, kw_only=True):
    topic: ClassVar[str] = "account-scores"
    event_type: ClassVar[str] = "account.health.changed.v1"

    account_id: UUID
    score: float
    band: str = "watch"
    sequence: int
    evaluated_at: datetime = NOW


@pytest.mark.parametrize("point", POINTS)
async def test_a_worker_that_dies_and_starts_again_ends_as_one_that_lived(
    crashes: Crashes, mailbox: Mailbox, accounts: Any, point: str
) -> None:
    made: list[str] = []

    async def known() -> None:
        made[:] = [await accounts.create(number) for number in (1, 2)]

    def said() -> Sequence[Record]:
        healths = [HealthChanged(account_id=UUID(id_), score=40.0 + n, sequence=n) for id_ in made for n in (1, 2)]
        return [*mailbox.records(*healths), mailbox.record("account-scores", b"garbage")]

    await crashes.change_nothing(f"{point}:1", known, said)

    assert len(mailbox.admin("SELECT * FROM account_health WHERE score = 42")) == 2
