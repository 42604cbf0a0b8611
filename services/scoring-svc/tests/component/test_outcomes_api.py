"""Outcomes: recorded once, refused with a reason, read by whoever they belong to."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx
import pytest

ACCOUNT = "0199f3a0-5c1e-7a10-8f43-2b6f0a1c9d01"


@pytest.fixture
async def post(world: Any, saying: Any, auth: Callable[..., dict[str, str]]) -> Any:
    """Post outcomes of acme, where one account is known."""
    await world.tell(saying.account())

    async def posted(body: Any, tenant: str = "acme") -> httpx.Response:
        answer = await world.client.post("/v1/outcomes", json=body, headers=auth("health:write", tenant=tenant))
        assert answer.status_code == 200, answer.text
        return answer

    return posted


def churned(day: str, kind: str = "churned", account: str = ACCOUNT) -> dict[str, str]:
    return {"account_id": account, "kind": kind, "date": day}


async def listed(world: Any, **query: Any) -> list[tuple[str, str]]:
    answer = await world.get("/outcomes", **query)
    assert answer.status_code == 200, answer.text
    return [(item["kind"], item["date"]) for item in answer.json()["items"]]


async def test_an_outcome_counts_once_however_often_it_is_told(world: Any, post: Any) -> None:
    day = world.clock.now().date().isoformat()
    assert (await post(churned(day))).json()["items"][0]["status"] == "accepted"
    again = (await post({"items": [churned(day), churned(day, "grew"), churned(day, "grew")]})).json()["items"]
    assert [item["status"] for item in again] == ["duplicate", "accepted", "duplicate"]
    assert await listed(world) == [("grew", day), ("churned", day)]
    assert await listed(world, kind="grew") == [("grew", day)]
    assert await listed(world, account_id=str(UUID(int=7))) == []


async def test_what_is_refused_says_why_and_changes_nothing(world: Any, post: Any) -> None:
    day = world.clock.now().date().isoformat()
    items = [churned("2999-01-01"), churned(day, account=str(UUID(int=7))), churned(day, "vanished")]
    results = (await post({"items": items})).json()["items"]
    assert [item["status"] for item in results] == ["rejected"] * 3
    codes = [item["problem"]["code"] for item in results]
    assert codes[:2] == ["outcome-in-the-future", "unknown-account"]
    assert results[2]["problem"]["errors"][0]["pointer"] == "/items/2/kind"
    assert await listed(world) == []


async def test_another_tenants_account_is_unknown_and_its_outcomes_are_not_seen(world: Any, post: Any) -> None:
    day = world.clock.now().date().isoformat()
    other = (await post(churned(day), tenant="globex")).json()["items"][0]
    assert other["problem"]["code"] == "unknown-account"
    await post(churned(day))
    assert await listed(world, tenant="globex") == []


async def test_pages_follow_each_other_without_gap_or_repeat(world: Any, post: Any) -> None:
    days = [f"2025-01-0{n}" for n in range(1, 6)]
    await post({"items": [churned(day) for day in days]})
    found, query = [], {"limit": 2}
    while True:
        page = (await world.get("/outcomes", **query)).json()
        found += [item["date"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert found == days[::-1]
