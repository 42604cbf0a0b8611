"""What people do to alerts, and what they are refused."""

from datetime import timedelta
from typing import Any

import pytest

from bellwether_kit.ids import opaque_id


@pytest.fixture
async def alert(world: Any) -> dict[str, Any]:
    """An open alert of three calls that nobody returned."""
    await world.tell(*(world.evidence("call-unreturned") for _ in range(3)))
    [found] = await world.alerts()
    return dict(found)


async def test_acknowledging_twice_says_it_once(world: Any, alert: dict[str, Any]) -> None:
    for _ in range(2):
        answer = await world.post(f"/alerts/{alert['alert_id']}/acknowledge")
        assert (answer.status_code, answer.json()["status"]) == (200, "acknowledged")
    assert world.alert_events() == ["opened", "acknowledged"]


async def test_a_snooze_ends_with_its_time(world: Any, alert: dict[str, Any]) -> None:
    until = world.clock.now() + timedelta(hours=30)
    answer = await world.post(f"/alerts/{alert['alert_id']}/snooze", {"until": until.isoformat()})
    assert answer.json()["status"] == "snoozed"
    await world.days_pass(1)
    assert (await world.alerts())[0]["status"] == "snoozed"
    await world.days_pass(0.26)
    assert (await world.alerts())[0]["status"] == "open"
    assert world.alert_events() == ["opened", "snoozed", "updated"]


@pytest.mark.parametrize(("days", "code"), [(-1, "snooze-in-the-past"), (91, "snooze-too-long")])
async def test_a_snooze_lies_ahead_and_within_ninety_days(
    world: Any, alert: dict[str, Any], days: int, code: str
) -> None:
    until = (world.clock.now() + timedelta(days=days)).isoformat()
    path = f"/alerts/{alert['alert_id']}"
    before = (await world.get(path)).json()
    answer = await world.post(f"{path}/snooze", {"until": until})
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/until"]
    assert ((await world.get(path)).json(), world.alert_events()) == (before, ["opened"])


async def test_what_a_person_resolved_stays_so_until_it_fires_anew(world: Any, alert: dict[str, Any]) -> None:
    path = f"/alerts/{alert['alert_id']}"
    answer = await world.post(f"{path}/resolve", {"reason": "we spoke"})
    assert (answer.json()["status"], answer.json()["resolution"]) == ("resolved", "we spoke")
    await world.mailbox.fire_timers()
    await world.happens("call-unreturned")
    assert [found["status"] for found in await world.alerts()] == ["resolved"]
    await world.happens("renewal-declined")
    [again] = await world.alerts()
    assert (again["alert_id"], again["status"], again["episode"]) == (alert["alert_id"], "open", 2)
    assert world.alert_events() == ["opened", "resolved", "reopened"]


async def test_a_new_trouble_after_the_cool_down_is_a_new_alert(world: Any, saying: Any, alert: dict[str, Any]) -> None:
    await world.tell(saying.touch(world.clock.now()))
    assert (await world.alerts())[0]["status"] == "resolved"
    world.clock.advance(timedelta(days=2))
    await world.tell(world.evidence("renewal-declined"))
    found = await world.alerts()
    assert [(one["status"], one["episode"]) for one in found] == [("open", 1), ("resolved", 1)]


async def test_assignee_and_comments_stand_in_the_timeline(world: Any, alert: dict[str, Any]) -> None:
    path = f"/alerts/{alert['alert_id']}"
    answer = await world.post(f"{path}/assign", {"assignee_email": "Ana@Example.com"})
    assert answer.json()["assignee_id"] == str(opaque_id("acme", "user", "ana@example.com"))
    assert (await world.post(f"{path}/comments", {"text": "called their CFO"})).status_code == 201
    detail = (await world.get(path)).json()
    assert [entry["change"] for entry in detail["timeline"]] == ["opened", "assigned", "commented"]
    assert detail["timeline"][2]["detail"]["text"] == "called their CFO"
    assert world.alert_events() == ["opened", "updated"]


@pytest.mark.parametrize("act", ["acknowledge", "snooze", "resolve", "assign"])
async def test_a_resolved_alert_can_only_be_commented_on(world: Any, alert: dict[str, Any], act: str) -> None:
    path = f"/alerts/{alert['alert_id']}"
    await world.post(f"{path}/resolve", {"reason": "done"})
    until = (world.clock.now() + timedelta(days=1)).isoformat()
    bodies = {"snooze": {"until": until}, "resolve": {"reason": "x"}, "assign": {"assignee_email": None}}
    before, told = (await world.get(path)).json(), world.alert_events()
    answer = await world.post(f"{path}/{act}", bodies.get(act))
    assert (answer.status_code, answer.json()["code"]) == (409, "alert-already-resolved")
    assert ((await world.get(path)).json(), world.alert_events()) == (before, told)
    assert (await world.post(f"{path}/comments", {"text": "still"})).status_code == 201


async def test_alerts_are_filtered_and_paged(world: Any) -> None:
    for number in range(5):
        account = world.evidence("x").evidence_id
        world.clock.advance(timedelta(minutes=number))
        await world.tell(*(world.evidence("call-unreturned", account_id=account) for _ in range(3)))
    for sort in ("-opened_at", "-priority"):
        seen, cursor = [], None
        while True:
            query = {"limit": 2, "sort": sort} | ({"cursor": cursor} if cursor else {})
            page = (await world.get("/alerts", **query)).json()
            seen += [item["alert_id"] for item in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert len(seen) == len(set(seen)) == 5
    assert await world.alerts(status="resolved") == []
    assert len(await world.alerts(status="unresolved", severity="high")) == 5
