"""Plans over HTTP."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx
import pytest

from bellwether_kit.ids import uuid7

pytestmark = pytest.mark.usefixtures("known")


@pytest.fixture
def body(account_id: UUID) -> dict[str, Any]:
    return {
        "account_id": str(account_id),
        "title": "Two years with Acme",
        "starts_on": "2026-04-01",
        "years": 2,
        "goals": ["Be their first call"],
        "revenue_goal": {
            "mining": {"amount": "120000.00", "currency": "EUR"},
            "farming": {"amount": "30000.00", "currency": "EUR"},
        },
    }


async def test_a_plan_is_made_as_a_draft_and_read_again(
    client: httpx.AsyncClient, writer: dict[str, str], body: dict[str, Any], outbox: Any
) -> None:
    made = await client.post("/v1/plans", json=body, headers=writer)
    assert (made.status_code, made.headers["etag"]) == (201, '"1"'), made.text
    plan = made.json()
    assert (
        plan["status"],
        plan["ends_on"],
        plan["account_name"],
        plan["progress"],
    ) == ("draft", "2028-04-01", "Acme", 0.0)
    read = await client.get(made.headers["location"], headers=writer)
    assert (200, plan, '"1"') == (read.status_code, read.json(), read.headers["etag"])
    assert body["revenue_goal"]["mining"]["currency"] == plan["revenue_goal"]["mining"]["currency"]
    assert outbox() == []


async def test_a_plan_in_force_is_spoken_of(
    client: httpx.AsyncClient, writer: dict[str, str], body: dict[str, Any], outbox: Any
) -> None:
    plan = (await client.post("/v1/plans", json=body, headers=writer)).json()
    path = f"/v1/plans/{plan['id']}"
    active = await client.patch(path, json={"status": "active"}, headers=writer | {"If-Match": '"1"'})
    assert (active.status_code, active.json()["status"], active.json()["version"]) == (200, "active", 2)
    again = await client.patch(path, json={"title": "Renamed"}, headers=writer | {"If-Match": '"2"'})
    assert again.json()["title"] == "Renamed"
    closed = await client.patch(path, json={"status": "closed"}, headers=writer | {"If-Match": '"3"'})
    assert closed.json()["status"] == "closed"
    said = outbox("account.plan.progressed.v1")
    assert [event.data["status"] for event in said] == ["active", "closed"]
    assert {plan["id"]} == {event.data["plan_id"] for event in said}


async def test_a_field_is_removed_by_null_and_one_that_must_be_there_is_not(
    client: httpx.AsyncClient, writer: dict[str, str], body: dict[str, Any]
) -> None:
    plan = (await client.post("/v1/plans", json=body, headers=writer)).json()
    path = f"/v1/plans/{plan['id']}"
    changed = await client.patch(path, json={"revenue_goal": None}, headers=writer | {"If-Match": '"1"'})
    assert (None, body["goals"]) == (changed.json()["revenue_goal"], changed.json()["goals"])
    refused = await client.patch(path, json={"title": None}, headers=writer | {"If-Match": '"2"'})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/title")


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"years": 4}, "/years"),
        ({"years": 0}, "/years"),
        ({"years": "2"}, "/years"),
        ({"title": ""}, "/title"),
        ({"title": "x" * 201}, "/title"),
        ({"starts_on": "next spring"}, "/starts_on"),
        ({"starts_on": 20260401}, "/starts_on"),
        ({"starts_on": "9999-12-31"}, "/starts_on"),
        ({"status": "won"}, "/status"),
        ({"goals": ["x"] * 21}, "/goals"),
        ({"owner": "ana"}, "/owner"),
        ({"account_id": "acme"}, "/account_id"),
        ({"revenue_goal": {"mining": {"amount": "-1", "currency": "EUR"}}}, "/revenue_goal"),
        ({"revenue_goal": {"mining": {"amount": 12.5, "currency": "EUR"}}}, "/revenue_goal/mining/amount"),
        (
            {
                "revenue_goal": {
                    "mining": {"amount": "1", "currency": "EUR"},
                    "farming": {"amount": "1", "currency": "USD"},
                }
            },
            "/revenue_goal",
        ),
    ],
)
async def test_a_wrong_field_is_refused_with_its_place_and_nothing_is_stored(
    client: httpx.AsyncClient,
    writer: dict[str, str],
    body: dict[str, Any],
    admin: Any,
    change: dict[str, Any],
    pointer: str,
) -> None:
    refused = await client.post("/v1/plans", json=body | change, headers=writer)
    assert (422, pointer) == (refused.status_code, refused.json()["errors"][0]["pointer"]), refused.text
    assert admin("SELECT 1 FROM plan") == []


async def test_a_change_that_changes_nothing_is_no_new_version(
    client: httpx.AsyncClient, writer: dict[str, str], body: dict[str, Any]
) -> None:
    plan = (await client.post("/v1/plans", json=body, headers=writer)).json()
    same = {name: value for name, value in body.items() if name != "account_id"}
    for change in ({}, same):
        answer = await client.patch(f"/v1/plans/{plan['id']}", json=change, headers=writer | {"If-Match": '"1"'})
        assert (answer.status_code, answer.json()["version"], answer.headers["etag"]) == (200, 1, '"1"')


async def test_a_plan_for_an_account_that_nobody_knows_is_refused(
    client: httpx.AsyncClient, writer: dict[str, str], body: dict[str, Any]
) -> None:
    refused = await client.post("/v1/plans", json=body | {"account_id": str(uuid7())}, headers=writer)
    assert (refused.status_code, refused.json()["code"]) == (404, "unknown-account")


async def test_status_goes_forward_and_a_closed_plan_stays_as_it_is(
    client: httpx.AsyncClient, writer: dict[str, str], body: dict[str, Any]
) -> None:
    plan = (await client.post("/v1/plans", json=body | {"status": "active"}, headers=writer)).json()
    path = f"/v1/plans/{plan['id']}"
    back = await client.patch(path, json={"status": "draft"}, headers=writer | {"If-Match": '"1"'})
    assert (back.status_code, back.json()["code"]) == (409, "plan-status-not-reachable")
    await client.patch(path, json={"status": "closed"}, headers=writer | {"If-Match": '"1"'})
    late = await client.patch(path, json={"title": "Too late"}, headers=writer | {"If-Match": '"2"'})
    assert (late.status_code, late.json()["code"]) == (409, "plan-closed")


async def test_nobody_overwrites_what_they_have_not_seen(
    client: httpx.AsyncClient, writer: dict[str, str], body: dict[str, Any]
) -> None:
    plan = (await client.post("/v1/plans", json=body, headers=writer)).json()
    path = f"/v1/plans/{plan['id']}"
    assert (await client.patch(path, json={"title": "A"}, headers=writer)).status_code == 428
    assert (await client.patch(path, json={"title": "A"}, headers=writer | {"If-Match": '"7"'})).status_code == 412


async def test_a_repeated_request_makes_one_plan(
    client: httpx.AsyncClient, writer: dict[str, str], body: dict[str, Any], admin: Any
) -> None:
    keyed = writer | {"Idempotency-Key": "once"}
    first = await client.post("/v1/plans", json=body, headers=keyed)
    second = await client.post("/v1/plans", json=body, headers=keyed)
    assert first.json() == second.json()
    assert len(admin("SELECT 1 FROM plan")) == 1
    other = await client.post("/v1/plans", json=body | {"years": 3}, headers=keyed)
    assert other.status_code == 422


async def test_lists_are_paged_and_filtered(
    client: httpx.AsyncClient, writer: dict[str, str], body: dict[str, Any], account_id: UUID
) -> None:
    made = [
        (await client.post("/v1/plans", json=body | {"title": f"Plan {n}"}, headers=writer)).json()["id"]
        for n in range(5)
    ]
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 2, "account_id": str(account_id), "status": "draft"}
    while True:
        page = (await client.get("/v1/plans", params=query, headers=writer)).json()
        seen += [plan["id"] for plan in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert made[::-1] == seen
    nothing = await client.get("/v1/plans", params={"status": "closed"}, headers=writer)
    assert nothing.json()["items"] == []
    assert (await client.get("/v1/plans", params={"status": "won"}, headers=writer)).status_code == 422
    assert (await client.get("/v1/plans", params={"colour": "red"}, headers=writer)).status_code == 422
    assert (await client.get("/v1/plans", params={"cursor": "abc"}, headers=writer)).status_code == 400


async def test_another_tenant_sees_nothing(
    client: httpx.AsyncClient, writer: dict[str, str], body: dict[str, Any], auth: Callable[..., dict[str, str]]
) -> None:
    plan = (await client.post("/v1/plans", json=body, headers=writer)).json()
    path = f"/v1/plans/{plan['id']}"
    stranger = auth("plans:read plans:write", tenant="globex")
    answers = [
        await client.get(path, headers=stranger),
        await client.patch(path, json={"title": "Mine"}, headers=stranger | {"If-Match": '"1"'}),
        await client.get(f"{path}/actions", headers=stranger),
    ]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(404, "unknown-plan")] * 3
    assert (await client.get("/v1/plans", headers=stranger)).json()["items"] == []


async def test_reading_and_writing_are_rights_of_their_own(
    client: httpx.AsyncClient, body: dict[str, Any], auth: Callable[..., dict[str, str]]
) -> None:
    assert (await client.post("/v1/plans", json=body, headers=auth("plans:read"))).status_code == 403
    assert (await client.get("/v1/plans", headers=auth("plans:write"))).status_code == 403
    assert (await client.get(f"/v1/plans/{uuid7()}", headers=auth("plans:read"))).status_code == 404
    assert (await client.get("/v1/plans/not-an-id", headers=auth("plans:read"))).status_code == 422
