"""Actions over HTTP, and what time makes of them."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from bellwether_kit.clock import FixedClock
from bellwether_kit.ids import opaque_id, uuid7

pytestmark = pytest.mark.usefixtures("known")

OVERDUE, PROGRESSED = "account.action.overdue.v1", "account.plan.progressed.v1"


@pytest.fixture
async def plan(client: httpx.AsyncClient, writer: dict[str, str], account_id: UUID) -> dict[str, Any]:
    body = {
        "account_id": str(account_id),
        "title": "Two years",
        "starts_on": "2026-04-01",
        "years": 2,
        "status": "active",
    }
    made: dict[str, Any] = (await client.post("/v1/plans", json=body, headers=writer)).json()
    return made


@pytest.fixture
def body() -> dict[str, Any]:
    return {
        "title": "Meet the economic buyer",
        "why": "We only know the users",
        "due_on": "2026-03-10",
        "accountable": {"email": "Ana@example.com"},
        "responsible": [{"email": "ben@example.com"}, {"email": "ben@example.com"}],
        "success_measure": "A meeting was held",
    }


@pytest.fixture
def add(
    client: httpx.AsyncClient, writer: dict[str, str], plan: dict[str, Any], body: dict[str, Any]
) -> Callable[..., Any]:
    async def added(**change: Any) -> httpx.Response:
        return await client.post(f"/v1/plans/{plan['id']}/actions", json=body | change, headers=writer)

    return added


@pytest.fixture
def change(client: httpx.AsyncClient, writer: dict[str, str]) -> Callable[..., Any]:
    async def changed(action_id: str, version: int, **fields: Any) -> httpx.Response:
        headers = writer | {"If-Match": f'"{version}"'}
        return await client.patch(f"/v1/actions/{action_id}", json=fields, headers=headers)

    return changed


async def test_an_action_is_added_with_people_as_opaque_ids(
    client: httpx.AsyncClient, writer: dict[str, str], add: Any, plan: dict[str, Any]
) -> None:
    made = await add()
    assert (made.status_code, made.headers["etag"]) == (201, '"1"'), made.text
    action = made.json()
    assert str(opaque_id("acme", "user", "ana@example.com")) == action["accountable_id"]
    assert [str(opaque_id("acme", "user", "ben@example.com"))] == action["responsible_ids"]
    assert "example.com" not in made.text
    assert action == (await client.get(made.headers["location"], headers=writer)).json()
    listed = await client.get(f"/v1/plans/{plan['id']}/actions", headers=writer)
    assert [action] == listed.json()["items"]


async def test_progress_that_is_said_after_the_clock_went_back_is_later_than_what_was_said_before(
    add: Any, outbox: Any, clock: FixedClock
) -> None:
    await add()
    clock.advance(timedelta(minutes=-5))
    await add(title="Second")
    times = [datetime.fromisoformat(said.data["measured_at"]) for said in outbox(PROGRESSED)]
    assert times == sorted(set(times))
    assert outbox(PROGRESSED)[-1].data["actions_total"] == 2


async def test_progress_is_said_with_every_change_of_its_figures(add: Any, change: Any, outbox: Any) -> None:
    first, second = (await add()).json(), (await add(title="Second")).json()
    assert (await change(first["id"], 1, status="in-progress")).status_code == 200
    assert (await change(second["id"], 1, status="done")).status_code == 200
    figures = [(e.data["actions_total"], e.data["actions_done"], e.data["progress"]) for e in outbox(PROGRESSED)]
    assert figures == [(0, 0, 0.0), (1, 0, 0.0), (2, 0, 0.0), (2, 1, 50.0)]


async def test_an_overdue_action_is_said_once_per_due_date(
    add: Any, change: Any, outbox: Any, fire_timers: Any, clock: FixedClock
) -> None:
    action = (await add()).json()
    assert await fire_timers() == 0
    clock.advance(timedelta(days=9))
    assert await fire_timers() == 1
    assert await fire_timers() == 0
    [said] = outbox(OVERDUE)
    assert (action["id"], "2026-03-10", 1) == (
        said.data["action_id"],
        said.data["due_on"],
        said.data["days_overdue"],
    )
    assert outbox(PROGRESSED)[-1].data["actions_overdue"] == 1
    assert outbox(PROGRESSED)[-1].data["overdue_since"] == ["2026-03-10"]
    assert (await change(action["id"], 1, due_on="2026-03-20")).status_code == 200
    assert outbox(PROGRESSED)[-1].data["actions_overdue"] == 0
    assert outbox(PROGRESSED)[-1].data["overdue_since"] == []
    clock.advance(timedelta(days=20))
    await fire_timers()
    assert [e.data["due_on"] for e in outbox(OVERDUE)] == ["2026-03-10", "2026-03-20"]
    assert (await change(action["id"], 2, due_on="2026-03-20", title="Same day")).status_code == 200
    await fire_timers()
    assert len(outbox(OVERDUE)) == 2


async def test_what_is_done_or_belongs_to_a_draft_is_never_said_overdue(
    client: httpx.AsyncClient,
    writer: dict[str, str],
    add: Any,
    change: Any,
    plan: dict[str, Any],
    body: dict[str, Any],
    outbox: Any,
    fire_timers: Any,
    clock: FixedClock,
) -> None:
    action = (await add()).json()
    await change(action["id"], 1, status="done")
    draft = {
        "account_id": plan["account_id"],
        "title": "Draft",
        "starts_on": "2026-04-01",
        "years": 1,
    }
    made = (await client.post("/v1/plans", json=draft, headers=writer)).json()
    assert (await client.post(f"/v1/plans/{made['id']}/actions", json=body, headers=writer)).status_code == 201
    clock.advance(timedelta(days=30))
    assert (await fire_timers(), outbox(OVERDUE)) == (0, [])
    path, headers = f"/v1/plans/{made['id']}", writer | {"If-Match": '"1"'}
    assert (await client.patch(path, json={"status": "active"}, headers=headers)).status_code == 200
    assert await fire_timers() == 1
    assert [made["id"]] == [e.data["plan_id"] for e in outbox(OVERDUE)]


async def test_a_plays_overdue_step_is_said_with_its_play(
    deliver: Any, alert: Any, outbox: Any, fire_timers: Any, clock: FixedClock
) -> None:
    await deliver(alert("opened", 1))
    clock.advance(timedelta(days=4))
    await fire_timers()
    play_id = outbox("account.play.opened.v1")[0].data["play_id"]
    assert [(None, play_id)] * 2 == [(e.data["plan_id"], e.data["play_id"]) for e in outbox(OVERDUE)]
    await deliver(alert("resolved", 2))
    clock.advance(timedelta(days=40))
    assert await fire_timers() == 0


async def test_actions_that_wait_for_each_other_are_refused(add: Any, change: Any) -> None:
    a = (await add(title="A")).json()
    b = (await add(title="B", depends_on=[a["id"]])).json()
    c = (await add(title="C", depends_on=[b["id"]])).json()
    refused = await change(a["id"], 1, depends_on=[c["id"]])
    assert (refused.status_code, refused.json()["code"]) == (422, "dependency-cycle")
    assert [a["id"], c["id"], b["id"], a["id"]] == refused.json()["circle"]
    itself = await change(a["id"], 1, depends_on=[a["id"]])
    assert itself.json()["code"] == "dependency-cycle"


async def test_an_action_waits_only_for_actions_of_its_own_plan(add: Any, deliver: Any, alert: Any, admin: Any) -> None:
    await deliver(alert("opened", 1))
    [step] = admin("SELECT action_id FROM action WHERE position = 1")
    for elsewhere in (uuid7(), step.action_id):
        refused = await add(depends_on=[str(elsewhere)])
        assert (
            refused.status_code,
            refused.json()["code"],
            refused.json()["errors"][0]["pointer"],
        ) == (422, "unknown-dependency", "/depends_on/0")


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"responsible": []}, "/responsible"),
        ({"accountable": [{"email": "a@example.com"}]}, "/accountable"),
        ({"accountable": None}, "/accountable"),
        ({"accountable": {}}, "/accountable"),
        ({"accountable": {"email": "a@example.com", "id": str(uuid7())}}, "/accountable"),
        ({"accountable": {"email": "ana"}}, "/accountable/email"),
        ({"due_on": "9999-12-31"}, "/due_on"),
        ({"due_on": "2026-02-30"}, "/due_on"),
        ({"title": ""}, "/title"),
        ({"status": "done"}, "/status"),
        ({"informed": [{"email": "x@example.com"}] * 21}, "/informed"),
        ({"depends_on": ["not-an-id"]}, "/depends_on/0"),
    ],
)
async def test_a_wrong_field_is_refused_with_its_place(
    add: Any, admin: Any, wrong: dict[str, Any], pointer: str
) -> None:
    refused = await add(**wrong)
    assert (422, pointer) == (refused.status_code, refused.json()["errors"][0]["pointer"]), refused.text
    assert admin("SELECT 1 FROM action") == []


async def test_changes_need_what_was_read_and_something_to_change(
    client: httpx.AsyncClient, writer: dict[str, str], add: Any, change: Any, auth: Any
) -> None:
    action = (await add()).json()
    path = f"/v1/actions/{action['id']}"
    assert (await client.patch(path, json={"title": "A"}, headers=writer)).status_code == 428
    assert (await change(action["id"], 9, title="A")).status_code == 412
    assert (await change(str(uuid7()), 1, title="A")).json()["code"] == "unknown-action"
    assert (await client.get(f"/v1/actions/{uuid7()}", headers=writer)).json()["code"] == "unknown-action"
    stranger = auth("plans:read plans:write", tenant="globex")
    assert (await client.get(path, headers=stranger)).status_code == 404
    assert (await client.patch(path, json={"title": "A"}, headers=stranger | {"If-Match": '"1"'})).status_code == 404
    no_plan = await client.post(f"/v1/plans/{uuid7()}/actions", json={}, headers=writer)
    assert no_plan.status_code == 422


async def test_every_field_can_be_changed(add: Any, change: Any) -> None:
    action = (await add()).json()
    person = str(uuid7())
    changed = await change(
        action["id"],
        1,
        title="New",
        why="",
        due_on="2026-05-01",
        accountable={"id": person},
        responsible=[{"id": person}],
        consulted=[{"id": person}],
        informed=[{"id": person}],
        success_measure="Seen",
        status="blocked",
    )
    assert changed.status_code == 200, changed.text
    after = changed.json()
    assert [person, [person], [person], [person]] == [
        after[name] for name in ("accountable_id", "responsible_ids", "consulted_ids", "informed_ids")
    ]
    assert tuple(after[name] for name in ("title", "why", "due_on", "success_measure", "status", "version")) == (
        "New",
        "",
        "2026-05-01",
        "Seen",
        "blocked",
        2,
    )


async def test_a_change_that_changes_nothing_is_no_new_version(add: Any, change: Any, body: dict[str, Any]) -> None:
    action = (await add()).json()
    for fields in ({}, body, {"status": "open"}):
        assert (await change(action["id"], 1, **fields)).json()["version"] == 1


async def test_actions_of_what_is_closed_stay_as_they_are(
    client: httpx.AsyncClient,
    writer: dict[str, str],
    plan: dict[str, Any],
    add: Any,
    change: Any,
    deliver: Any,
    alert: Any,
    admin: Any,
) -> None:
    action = (await add()).json()
    closing = await client.patch(
        f"/v1/plans/{plan['id']}", json={"status": "closed"}, headers=writer | {"If-Match": '"1"'}
    )
    assert closing.status_code == 200
    assert (await change(action["id"], 1, title="Too late")).json()["code"] == "plan-closed"
    assert (await add()).json()["code"] == "plan-closed"
    await deliver(alert("opened", 1), alert("resolved", 2))
    [step] = admin("SELECT action_id FROM action WHERE play_id IS NOT NULL AND position = 1")
    assert (await change(str(step.action_id), 1, status="done")).json()["code"] == "play-closed"


async def test_actions_are_listed_in_pages_in_the_order_they_were_added(
    client: httpx.AsyncClient, writer: dict[str, str], plan: dict[str, Any], add: Any
) -> None:
    made = [(await add(title=f"Action {n}")).json()["id"] for n in range(3)]
    path = f"/v1/plans/{plan['id']}/actions"
    first = (await client.get(path, params={"limit": 2}, headers=writer)).json()
    rest = (await client.get(path, params={"limit": 2, "cursor": first["next_cursor"]}, headers=writer)).json()
    assert made == [action["id"] for action in first["items"] + rest["items"]]
    assert None is rest["next_cursor"]
