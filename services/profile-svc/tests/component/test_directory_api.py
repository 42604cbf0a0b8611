"""Accounts as callers read them: filters, order, pages, children."""

from datetime import timedelta
from typing import Any

import pytest

from bellwether_kit.clock import FixedClock


async def names(accounts: Any, path: str = "", **query: object) -> list[str]:
    answer = await accounts.get(path, **query)
    assert answer.status_code == 200, answer.text
    return [shown["name"] for shown in answer.json()["items"]]


async def test_a_list_is_filtered_by_each_filter_and_by_all_together(accounts: Any) -> None:
    parent = await accounts.create(1, name="Parent", tier="A", territory="dach", owner={"email": "ana@example.com"})
    await accounts.create(2, name="Child", tier="B", status="inactive", parent={"id": parent})
    owner = (await accounts.get(f"/{parent}")).json()["owner"]["id"]
    assert await names(accounts, tier="A") == ["Parent"]
    assert await names(accounts, status="inactive") == ["Child"]
    assert await names(accounts, territory="dach") == ["Parent"]
    assert await names(accounts, owner_id=owner) == ["Parent"]
    assert await names(accounts, parent_id=parent) == ["Child"]
    assert await names(accounts, source="crm", external_id="2") == ["Child"]
    assert await names(accounts, source="", external_id="2") == []
    assert await names(accounts, tier="A", status="inactive") == []
    assert await names(accounts, f"/{parent}/children") == ["Child"]


@pytest.mark.parametrize(("sort", "expected"), [("name", "ABCDE"), ("-created_at", "DACEB")])
async def test_pages_follow_each_other_without_gaps_or_repeats(
    accounts: Any, clock: FixedClock, sort: str, expected: str
) -> None:
    for number, name in enumerate("BECAD"):
        await accounts.create(number, name=name)
        clock.advance(timedelta(microseconds=1))
    seen, cursor = "", None
    while True:
        query = {"sort": sort, "limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await accounts.get("", **query)).json()
        seen += "".join(shown["name"] for shown in page["items"])
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == expected


async def test_accounts_of_one_name_and_one_instant_are_paged_too(accounts: Any) -> None:
    for number in range(5):
        await accounts.create(number, name="Same")
    for sort in ("name", "-created_at"):
        first = (await accounts.get("", sort=sort, limit=3)).json()
        second = (await accounts.get("", sort=sort, limit=3, cursor=first["next_cursor"])).json()
        assert len({shown["id"] for shown in first["items"] + second["items"]}) == 5


@pytest.mark.parametrize(
    "query",
    [{"tier": "D"}, {"sort": "color"}, {"source": "crm"}, {"owner_id": "ana"}, {"limit": 201}, {"surprise": "1"}],
)
async def test_a_query_that_makes_no_sense_is_refused(accounts: Any, query: dict[str, Any]) -> None:
    answer = await accounts.get("", **query)
    assert (answer.status_code, answer.json()["code"]) == (422, "validation-failed")


async def test_a_cursor_of_another_order_is_refused(accounts: Any) -> None:
    for number in range(2):
        await accounts.create(number)
    cursor = (await accounts.get("", limit=1)).json()["next_cursor"]
    answer = await accounts.get("", limit=1, cursor=cursor, sort="-created_at")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-cursor")
