"""The main story: a client stops answering, one alert opens; the client comes back, it resolves."""

from datetime import timedelta
from typing import Any

import pytest

NEW = timedelta(days=1)


@pytest.fixture
def account(world: Any, saying: Any) -> Any:
    """Northwind, tier A, known since yesterday."""
    return saying.account(known_since=world.clock.now() - NEW, value={"amount": 1200000.0, "currency": "EUR"})


async def test_silence_and_a_refusal_open_one_alert_and_two_answers_resolve_it(
    world: Any, saying: Any, account: Any
) -> None:
    await world.tell(account)
    await world.happens("call-unreturned", "call-unreturned", "call-unreturned", "meeting-declined")

    [alert] = await world.alerts()
    assert (alert["status"], alert["kind"], alert["severity"]) == ("open", "at-risk", "critical")
    assert "health-below" in [reason["rule"] for reason in alert["reasons"]]
    assert "Northwind" in alert["summary"]
    assert alert["suggested_play"] == "recover-relationship"
    assert alert["value_at_stake"] == {"amount": "1200000.00", "currency": "EUR"}
    assert alert["drivers"][0]["points"] < 0
    health = await world.health()
    assert health["score"] < 40
    assert health["band"] == "at-risk"
    assert world.alert_events().count("opened") == 1

    await world.happens("call-returned", "meeting-held")
    await world.tell(saying.touch(last_two_way_at=world.clock.now()))

    assert (await world.health())["score"] >= 45
    [alert] = await world.alerts()
    assert (alert["status"], alert["resolved_by"]) == ("resolved", "rules")
    assert alert["reasons"] == []
    assert world.alert_events()[-1] == "resolved"
    assert world.alert_events().count("opened") == 1


async def test_delivering_everything_again_and_backwards_changes_nothing(world: Any, saying: Any, account: Any) -> None:
    await world.tell(account)
    said = await world.happens("call-unreturned", "call-unreturned", "meeting-declined", "order-placed")
    before, events = await world.health(), len(world.mailbox.outbox())

    await world.tell(*reversed(said), account, times=2)

    assert before == await world.health()
    assert events == len(world.mailbox.outbox())


async def test_events_of_one_batch_make_one_change_of_health(world: Any) -> None:
    await world.tell(*(world.evidence("order-placed", ago=timedelta(days=day)) for day in range(5)))
    [said] = world.said("account.health.changed.v1")
    assert 1 == said.sequence == said.data["sequence"]
    assert said.data["previous_score"] is None
    await world.tell(world.evidence("renewal-signed"))
    second = world.said("account.health.changed.v1")[1]
    assert (2, said.data["score"]) == (second.sequence, second.data["previous_score"])


async def test_evidence_of_an_account_nobody_described_yet_is_scored_and_named_later(world: Any, saying: Any) -> None:
    await world.tell(*(world.evidence("call-unreturned") for _ in range(3)))
    assert (await world.alerts())[0]["account_name"] is None
    await world.tell(saying.account(tier="B"))
    assert (await world.health())["account_name"] == "Northwind"
    [alert] = await world.alerts()
    assert (alert["account_name"], alert["tier"]) == ("Northwind", "B")
    assert world.alert_events() == ["opened", "updated"]
    await world.tell(saying.account(tier="B", version=2))
    assert world.alert_events() == ["opened", "updated"]


async def test_another_tenant_sees_nothing(world: Any) -> None:
    await world.tell(*(world.evidence("call-unreturned") for _ in range(3)))
    [alert] = await world.alerts()
    for path in (f"/accounts/{alert['account_id']}/health", f"/alerts/{alert['alert_id']}"):
        assert (await world.get(path, tenant="globex")).status_code == 404
    for path in ("/alerts", "/health"):
        assert (await world.get(path, tenant="globex")).json()["items"] == []
    answer = await world.post(f"/alerts/{alert['alert_id']}/acknowledge", tenant="globex")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown-alert")
