"""What time alone does: silence, recovery by forgetting, and jumps of the clock that are caught up in one go."""

from datetime import timedelta
from typing import Any

import pytest


def rules_of(alert: dict[str, Any]) -> set[str]:
    return {reason["rule"] for reason in alert["reasons"]}


async def test_an_account_goes_dark_after_two_cadences_and_a_contact_ends_it(world: Any, saying: Any) -> None:
    await world.tell(saying.account(tier="A"), saying.touch(world.clock.now()))
    await world.days_pass(13.9)
    assert rules_of((await world.alerts())[0]) == {"health-below", "health-drop"}
    contact = world.clock.now() - timedelta(days=13.9)
    await world.days_pass(40)
    [alert] = await world.alerts()
    assert rules_of(alert) == {"going-dark", "health-below"}  # fourteen days without another fall
    [dark] = [reason for reason in alert["reasons"] if reason["rule"] == "going-dark"]
    assert dark["since"][:16] == (contact + timedelta(days=14)).isoformat()[:16]
    await world.tell(saying.touch(world.clock.now()))
    [alert] = await world.alerts()
    assert alert["status"] == "resolved"


async def test_an_account_without_any_contact_counts_from_the_day_it_became_known(world: Any, saying: Any) -> None:
    await world.tell(saying.account(tier="B", known_since=world.clock.now()))
    assert (await world.health())["measures"]["engagement"] is None
    await world.days_pass(14.1)
    assert (await world.health())["measures"]["engagement"] == pytest.approx(74.7, abs=0.1)


async def test_every_account_is_looked_at_within_a_day_and_only_visible_changes_are_told(world: Any) -> None:
    await world.tell(world.evidence("order-placed"))
    told = len(world.said("account.health.changed.v1"))
    for _ in range(3):
        await world.days_pass(1)
    [row] = world.mailbox.admin("SELECT evaluated_at, next_evaluation_at FROM account_health")
    assert row.evaluated_at == world.clock.now()
    assert row.next_evaluation_at - row.evaluated_at <= timedelta(days=1)
    assert len(world.said("account.health.changed.v1")) == told + 3
    sequences = [row.sequence for row in world.said("account.health.changed.v1")]
    assert sequences == list(range(1, len(sequences) + 1))


async def test_bad_news_is_forgotten_with_time_and_the_alert_resolves_by_itself(world: Any) -> None:
    await world.tell(*(world.evidence("call-unreturned") for _ in range(3)))
    [alert] = await world.alerts(status="open")
    await world.days_pass(300)
    [alert] = await world.alerts()
    assert (alert["status"], alert["resolved_by"]) == ("resolved", "rules")


async def test_a_burst_of_refusals_joins_and_leaves_after_a_quiet_week(world: Any) -> None:
    good = [world.evidence("renewal-signed", ago=timedelta(days=1)) for _ in range(6)]
    await world.tell(*good, *(world.evidence("meeting-declined") for _ in range(3)))
    [alert] = await world.alerts()
    assert "evidence-burst" in rules_of(alert)
    await world.days_pass(6.9)
    assert "evidence-burst" in rules_of((await world.alerts())[0])
    await world.days_pass(0.2)
    assert "evidence-burst" not in rules_of((await world.alerts())[0])


async def test_a_fall_of_fifteen_points_is_a_reason_until_half_is_recovered(world: Any) -> None:
    await world.tell(*(world.evidence("order-placed", ago=timedelta(days=2)) for _ in range(5)))
    high = (await world.health())["score"]
    await world.tell(*(world.evidence("scope-reduced") for _ in range(2)))
    low = (await world.health())["score"]
    assert high - low >= 15
    [alert] = await world.alerts()
    assert rules_of(alert) == {"health-drop"}
    assert alert["reasons"][0]["value"] == pytest.approx(high - low)
    await world.tell(world.evidence("scope-expanded"), world.evidence("order-placed"))
    assert (await world.alerts())[0]["status"] == "resolved"


async def test_decisive_evidence_opens_an_alert_until_its_opposite_comes(world: Any) -> None:
    await world.tell(*(world.evidence("order-placed") for _ in range(9)), world.evidence("renewal-declined"))
    [alert] = await world.alerts()
    assert rules_of(alert) == {"decisive-evidence", "health-below"}  # a declined renewal caps the score at 20
    world.clock.advance(timedelta(hours=1))
    await world.tell(world.evidence("renewal-signed"))
    assert (await world.alerts())[0]["status"] == "resolved"


async def test_decisive_evidence_that_came_late_and_was_undone_before_is_no_news(world: Any) -> None:
    await world.tell(world.evidence("renewal-signed"))
    await world.tell(world.evidence("renewal-declined", ago=timedelta(days=2)))
    assert await world.alerts() == []


async def test_a_retracted_decisive_piece_takes_its_reason_along(world: Any, saying: Any) -> None:
    said = world.evidence("complaint-escalated")
    await world.tell(said, *(world.evidence("meeting-held") for _ in range(4)))
    assert len(await world.alerts(status="open")) == 1
    await world.tell(saying.retraction(said))
    assert [alert["status"] for alert in await world.alerts()] == ["resolved"]


async def test_a_removed_account_is_forgotten_with_a_tombstone_and_can_come_back(world: Any, saying: Any) -> None:
    await world.tell(saying.account(), *(world.evidence("call-unreturned") for _ in range(3)))
    await world.tell(saying.account_gone(version=2))
    assert (await world.get("/accounts/0199f3a0-5c1e-7a10-8f43-2b6f0a1c9d01/health")).status_code == 404
    assert (await world.get("/health")).json()["items"] == []
    assert [alert["status"] for alert in await world.alerts()] == ["resolved"]
    assert world.said("tombstone")[0].topic == "account-scores"
    await world.days_pass(3)
    await world.tell(world.evidence("call-unreturned"))
    assert (await world.get("/health")).json()["items"] == []
    await world.tell(saying.account(version=3))
    sequences = [row.sequence for row in world.said("account.health.changed.v1")]
    assert sequences == list(range(1, len(sequences) + 1))
    assert (await world.health())["band"] == "at-risk"
