"""What another rule would have raised, before it holds: page by page, and nothing is written."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

SETTINGS = {"fire": 55.0, "clear": 60.0}


async def preview(world: Any, rule: str, body: Any, *, tenant: str = "acme", **query: Any) -> Any:
    headers = world.auth("alerts:admin", tenant=tenant)
    return await world.client.post(f"/v1/alert-rules/{rule}/preview", json=body, params=query, headers=headers)


async def test_a_stricter_rule_shows_when_it_would_have_opened_and_for_how_long(world: Any, saying: Any) -> None:
    start = world.clock.now()
    await world.tell(saying.account(), world.evidence("order-placed"), world.evidence("call-unreturned"))
    await world.tell(*(world.evidence("call-unreturned") for _ in range(2)))
    await world.days_pass(10)
    await world.tell(*(world.evidence("meeting-held") for _ in range(9)))
    written = len(world.mailbox.outbox())
    [item] = (await preview(world, "health-below", SETTINGS)).json()["items"]
    assert (item["account_name"], item["now"]) == ("Northwind", [])
    [alert] = item["then"]
    assert alert["opened_at"] == start.isoformat().replace("+00:00", "Z")
    assert alert["days"] == pytest.approx(10.0)
    assert alert["severity"] == "critical"
    assert await world.alerts() == []
    assert len(world.mailbox.outbox()) == written
    assert world.mailbox.admin("SELECT * FROM alert_rule") == []
    assert (await preview(world, "health-below", SETTINGS, tenant="globex")).json()["items"] == []


async def test_pages_together_name_every_account_once(world: Any) -> None:
    ids = [UUID(int=number) for number in range(1, 6)]
    await world.tell(*(world.evidence("call-unreturned", account_id=id_) for id_ in ids for _ in range(3)))
    world.clock.advance(timedelta(days=1))
    named, cursor = [], None
    while True:
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        answer = (await preview(world, "health-below", {}, **query)).json()
        named += [item["account_id"] for item in answer["items"]]
        assert all(item["now"] == item["then"] for item in answer["items"])
        cursor = answer["next_cursor"]
        if cursor is None:
            break
    assert named == [str(id_) for id_ in ids]


@pytest.mark.parametrize(
    ("rule", "body", "status", "code"),
    [
        ("no-such-rule", {}, 404, "unknown-rule"),
        ("champion-lost", {"fire": 1.0, "clear": 1.0}, 422, "thresholds-out-of-order"),
        ("health-below", {"fire": 40.0, "clear": 30.0}, 422, "thresholds-out-of-order"),
        ("health-below", {"fire": "high"}, 422, "validation-failed"),
    ],
)
async def test_what_cannot_be_previewed_is_refused(world: Any, rule: str, body: Any, status: int, code: str) -> None:
    answer = await preview(world, rule, body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_rules_of_people_and_plans_are_tried_on_what_was_known_of_them(world: Any, saying: Any) -> None:
    began = world.clock.now()
    due = [(began - timedelta(days=2)).date()] * 3
    await world.tell(saying.account(), saying.person(), saying.person(2, sentiment="detractor", veto=True))
    await world.tell(saying.plan(due, began), saying.coverage(50.0, began, people=1))
    await world.days_pass(10)
    await world.tell(saying.person(status="gone", version=2), saying.person_gone(2, number=2))
    await world.days_pass(20)
    now = world.clock.now()
    await world.tell(saying.person(3), saying.plan([], now), saying.coverage(50.0, now, people=5))
    await world.days_pass(5)
    written = len(world.mailbox.outbox())
    day = timedelta(days=1)
    expected = {
        "champion-lost": (began + 10 * day, now),
        "detractor-with-veto": (began, began + 10 * day),
        "single-threaded": (began + 14 * day, now),
        "plan-slipping": ((began + 6 * day).replace(hour=0, second=1), now),  # seven days after the day it was due
    }
    for rule, (opened_at, resolved_at) in expected.items():
        answer = (await preview(world, rule, {})).json()
        [item] = answer["items"]
        [alert] = item["then"]
        assert (item["now"], answer["holds_from"]) == ([alert], said(now + 5 * day - 90 * day))
        assert (rule, alert["opened_at"], alert["resolved_at"]) == (rule, said(opened_at), said(resolved_at))
    stricter = (await preview(world, "plan-slipping", {"fire": 4.0})).json()["items"]
    assert [(item["now"] != [], item["then"]) for item in stricter] == [(True, [])]
    assert len(world.mailbox.outbox()) == written


async def test_a_preview_says_from_when_on_people_and_plans_are_known(world: Any, saying: Any) -> None:
    await world.tell(saying.account(), saying.person(sentiment="detractor", veto=True))
    world.mailbox.admin("UPDATE situation_history SET copied = true")
    copied = world.clock.now()
    await world.days_pass(30)
    answer = (await preview(world, "detractor-with-veto", {})).json()
    assert answer["holds_from"] == said(copied)
    assert [alert["opened_at"] for alert in answer["items"][0]["then"]] == [said(copied)]
    assert (await preview(world, "health-below", {})).json()["holds_from"] == said(copied - timedelta(days=60))
    await world.days_pass(70)
    answer = (await preview(world, "detractor-with-veto", {})).json()
    assert answer["holds_from"] == said(copied + timedelta(days=10))


def said(at: Any) -> str:
    return str(at.isoformat().replace("+00:00", "Z"))
