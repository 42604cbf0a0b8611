"""The health that scoring-svc publishes, as it reaches the list of accounts."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from bellwether_kit.events import Payload

NOW = datetime.fromisoformat("2026-03-02T09:00:00+00:00")


class HealthChanged(Payload, frozen=True, kw_only=True):
    topic: ClassVar[str] = "account-scores"
    event_type: ClassVar[str] = "account.health.changed.v1"

    account_id: UUID
    score: float
    band: str
    sequence: int
    evaluated_at: datetime = NOW
    unheard_of: str = "ignored"


def health(account_id: str, sequence: int, score: float, band: str = "watch") -> HealthChanged:
    return HealthChanged(account_id=UUID(account_id), score=score, band=band, sequence=sequence)


async def shown(accounts: Any, account_id: str) -> Any:
    return (await accounts.get(f"/{account_id}")).json()["health"]


async def test_the_list_shows_the_last_published_health(accounts: Any, deliver: Any) -> None:
    account_id = await accounts.create(1)
    assert await shown(accounts, account_id) is None
    await deliver(health(account_id, 1, 37.4, "at-risk"), times=2)
    [listed] = (await accounts.get("")).json()["items"]
    assert listed["health"] == {"score": 37.4, "band": "at-risk", "evaluated_at": "2026-03-02T09:00:00Z"}


async def test_reports_out_of_order_leave_the_one_with_the_highest_sequence(accounts: Any, deliver: Any) -> None:
    account_id = await accounts.create(1)
    await deliver(health(account_id, 3, 30), health(account_id, 2, 20))
    await deliver(health(account_id, 1, 10), times=2)
    assert (await shown(accounts, account_id))["score"] == 30


async def test_health_of_an_account_we_do_not_have_is_dropped(
    accounts: Any, of_globex: Any, deliver: Any, admin: Any, dead_letters: Any
) -> None:
    theirs = await of_globex.create(1)
    await deliver(health(theirs, 1, 10), tenant="acme")
    assert admin("SELECT * FROM account_health") == []
    assert dead_letters() == []


async def test_health_is_no_change_of_the_account(accounts: Any, deliver: Any, outbox: Any) -> None:
    account_id = await accounts.create(1)
    await deliver(health(account_id, 1, 50))
    assert (await accounts.get(f"/{account_id}")).headers["etag"] == '"1"'
    assert len(outbox()) == 1
