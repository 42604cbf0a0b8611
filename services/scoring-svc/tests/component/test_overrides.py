"""Overrides: what a person says of an account for a while stands beside what was computed, and never instead of it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from bellwether_kit.ids import uuid7

ACCOUNT = UUID("0199f3a0-5c1e-7a10-8f43-2b6f0a1c9d01")


@pytest.fixture
def ask(client: httpx.AsyncClient, auth: Callable[..., dict[str, str]]) -> Callable[..., Any]:
    async def _ask(method: str, body: Any = None, account: UUID = ACCOUNT, tenant: str = "acme") -> httpx.Response:
        headers = auth("health:write", tenant=tenant)
        return await client.request(method, f"/v1/accounts/{account}/health/override", json=body, headers=headers)

    return _ask


def saying_so(world: Any, days: float = 30, **more: Any) -> dict[str, Any]:
    return {
        "reason": "they told me on the phone",
        "expires_at": (world.clock.now() + timedelta(days)).isoformat(),
    } | more


async def listed(world: Any, **query: Any) -> list[dict[str, Any]]:
    answer = await world.get(f"/accounts/{ACCOUNT}/health/overrides", **query)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def test_an_override_stands_beside_the_computed_value_and_in_the_event(world: Any, ask: Any) -> None:
    await world.happens("meeting-declined", "call-unreturned", "call-unreturned")
    before = await world.health()
    answer = await ask("PUT", saying_so(world, score=80.0))
    assert answer.status_code == 200, answer.text
    after = await world.health()
    assert (after["score"], after["band"]) == (pytest.approx(before["score"], abs=0.01), before["band"])
    assert (after["override"]["score"], after["override"]["reason"]) == (80.0, "they told me on the phone")
    said = world.said("account.health.changed.v1")[-1].data
    assert (said["override"]["score"], said["override"]["band"]) == (80.0, None)
    assert "phone" not in str(said)


async def test_alerts_go_by_the_computed_value(world: Any, ask: Any) -> None:
    await world.happens("meeting-declined", "call-unreturned", "call-unreturned")
    [alert] = await world.alerts()
    await ask("PUT", saying_so(world, band="healthy"))
    assert [(a["alert_id"], a["status"]) for a in await world.alerts()] == [(alert["alert_id"], "open")]


async def test_an_override_ends_by_itself_and_that_is_said(world: Any, ask: Any) -> None:
    await world.happens("order-placed")
    await ask("PUT", saying_so(world, days=2, band="at-risk"))
    await world.days_pass(1.999)
    assert (await world.health())["override"]["band"] == "at-risk"
    world.clock.advance(timedelta(days=0.002))
    assert (await world.health())["override"] is None  # also while the worker is away
    assert (await ask("DELETE")).json()["code"] == "no-override"
    await world.mailbox.fire_timers()
    [entry] = await listed(world)
    assert entry["ended_by"] == "expiry"
    assert world.said("account.health.changed.v1")[-1].data["override"] is None


async def test_a_second_override_takes_the_place_of_the_first_and_both_stay_on_the_list(world: Any, ask: Any) -> None:
    await world.happens("order-placed")
    for score in (10.0, 20.0):
        assert (await ask("PUT", saying_so(world, score=score))).status_code == 200
    assert (await world.health())["override"]["score"] == 20.0
    assert (await ask("DELETE")).status_code == 204
    assert (await world.health())["override"] is None
    assert world.said("account.health.changed.v1")[-1].data["override"] is None
    entries = await listed(world)
    assert {entry["score"] for entry in entries} == {10.0, 20.0}
    assert all(entry["ended_at"] and entry["ended_by"] == entry["author"] for entry in entries)
    first = (await world.get(f"/accounts/{ACCOUNT}/health/overrides", limit=1)).json()
    rest = await listed(world, limit=1, cursor=first["next_cursor"])
    assert [*first["items"], *rest] == entries


@pytest.mark.parametrize(
    ("more", "days", "code"),
    [
        ({"score": 80.0, "reason": " "}, 1, "override-without-reason"),
        ({"score": 80.0}, 0, "override-in-the-past"),
        ({"score": 80.0}, 90.001, "override-too-long"),
        ({}, 1, "score-or-band"),
        ({"score": 80.0, "band": "healthy"}, 1, "score-or-band"),
        ({"score": 101.0}, 1, "validation-failed"),
        ({"band": "unknown"}, 1, "validation-failed"),
    ],
)
async def test_what_can_be_no_override_is_refused_and_changes_nothing(
    world: Any, ask: Any, more: dict[str, Any], days: float, code: str
) -> None:
    await world.happens("order-placed")
    events = len(world.mailbox.outbox())
    answer = await ask("PUT", saying_so(world, days, **more))
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert await listed(world) == []
    assert len(world.mailbox.outbox()) == events


async def test_nobody_overrides_what_is_not_known_or_not_theirs(world: Any, ask: Any) -> None:
    await world.happens("order-placed")
    for account, tenant in ((uuid7(), "acme"), (ACCOUNT, "globex")):
        for method in ("PUT", "DELETE"):
            answer = await ask(method, saying_so(world, score=1.0), account, tenant)
            assert (answer.status_code, answer.json()["code"]) == (404, "unknown-account")
    answer = await world.get(f"/accounts/{uuid7()}/health/overrides")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown-account")
    answer = await ask("DELETE")
    assert (answer.status_code, answer.json()["code"]) == (404, "no-override")
    assert world.mailbox.admin("SELECT * FROM health_override") == []
    assert len(world.mailbox.admin("SELECT * FROM account_health")) == 1
