"""The portfolio in figures, and narrowed by how sure and how fresh its scores are."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from bellwether_kit.ids import uuid7


async def test_accounts_are_counted_by_band_and_tier_and_owner(world: Any, saying: Any) -> None:
    owner, mine = uuid7(), uuid7()
    told = [("A", "meeting-held"), ("A", "complaint-escalated"), ("B", "meeting-held"), (None, "meeting-held")]
    for number, (tier, kind) in enumerate(told):
        account_id = mine if number == 1 else uuid7()
        more = {"owner_id": owner} if number == 1 else {}
        await world.tell(saying.account(account_id=account_id, tier=tier, **more))
        await world.tell(*(world.evidence(kind, account_id=account_id) for _ in range(6)))
    found = (await world.get("/health/summary")).json()
    assert (found["accounts"], found["tiers"]) == (4, {"A": 2, "B": 1, "C": 0})
    assert found["bands"] == {"healthy": 3, "watch": 0, "at-risk": 1, "unknown": 0}
    order = [(group["tier"], group["band"], group["accounts"]) for group in found["groups"]]
    assert order == [("A", "healthy", 1), ("A", "at-risk", 1), ("B", "healthy", 1), (None, "healthy", 1)]
    own = (await world.get("/health/summary", owner_id=str(owner))).json()
    [group] = own["groups"]
    assert group["mean_score"] == (await world.health(mine))["score"]
    assert (await world.get("/health/summary", tenant="globex")).json()["accounts"] == 0
    assert (await world.get("/health/summary", owner_id="me")).status_code == 422


async def test_the_portfolio_is_narrowed_by_confidence_and_by_what_changed(world: Any) -> None:
    sure, vague = uuid7(), uuid7()
    await world.tell(*(world.evidence("meeting-held", account_id=sure) for _ in range(6)))
    await world.tell(world.evidence("meeting-held", account_id=vague))
    limit = (await world.health(sure))["confidence"]
    assert await listed(world, min_confidence=limit) == {sure}
    world.clock.advance(timedelta(days=1))
    since = world.clock.now().isoformat()
    await world.tell(world.evidence("advice-sought", account_id=vague))
    assert await listed(world, changed_since=since) == {vague}
    assert await listed(world) == {sure, vague}
    assert (await world.get("/health", min_confidence=2)).status_code == 422


async def listed(world: Any, **query: Any) -> set[UUID]:
    return {UUID(item["account_id"]) for item in (await world.get("/health", **query)).json()["items"]}
