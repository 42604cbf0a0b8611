"""Cursors: opaque, signed, and good for one query."""

import base64
from collections.abc import Callable

import httpx
import pytest
from fastapi import FastAPI
from things.rig import Keys, assert_problem, client_of

MakeApp = Callable[..., FastAPI]


async def test_pages_follow_each_other_to_the_end(client: httpx.AsyncClient) -> None:
    seen, cursor = [], None
    for _ in range(3):
        answer = (await client.get("/v1/things", params={"limit": 3} | ({"cursor": cursor} if cursor else {}))).json()
        seen.append(answer["items"])
        cursor = answer["next_cursor"]
    assert seen == [[0, 1, 2], [3, 4, 5], [6]]
    assert cursor is None


async def test_a_full_last_page_has_no_cursor(client: httpx.AsyncClient) -> None:
    answer = (await client.get("/v1/things?limit=7")).json()
    assert (list(range(7)), None) == (answer["items"], answer["next_cursor"])


async def test_the_limit_may_change_between_pages(client: httpx.AsyncClient) -> None:
    cursor = (await client.get("/v1/things?limit=2")).json()["next_cursor"]
    assert (await client.get(f"/v1/things?limit=4&cursor={cursor}")).json()["items"] == [2, 3, 4, 5]


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "limit=-1", "limit=9999999999999999999999"])
async def test_a_limit_out_of_range_is_refused(client: httpx.AsyncClient, query: str) -> None:
    assert_problem(await client.get(f"/v1/things?{query}"), 422, "validation-failed")


async def test_a_cursor_is_no_good_with_other_filters(client: httpx.AsyncClient) -> None:
    cursor = (await client.get("/v1/things?limit=2&band=at-risk&size=1")).json()["next_cursor"]
    assert (await client.get(f"/v1/things?size=1&band=at-risk&limit=2&cursor={cursor}")).status_code == 200
    for other in ("", "&band=healthy&size=1", "&band=at-risk"):
        response = await client.get(f"/v1/things?limit=2&cursor={cursor}{other}")
        assert_problem(response, 400, "invalid-cursor")


@pytest.mark.parametrize(
    "cursor", ["", "x", "é", "====", "AAAA", "a" * 1_000, base64.urlsafe_b64encode(b"[5]").decode()]
)
async def test_a_cursor_that_is_not_ours_is_refused(client: httpx.AsyncClient, cursor: str) -> None:
    assert_problem(await client.get("/v1/things", params={"cursor": cursor}), 400, "invalid-cursor")


async def test_a_cursor_with_one_changed_character_is_refused(client: httpx.AsyncClient) -> None:
    cursor: str = (await client.get("/v1/things?limit=2")).json()["next_cursor"]
    for place in range(len(cursor)):
        changed = cursor[:place] + ("A" if cursor[place] != "A" else "B") + cursor[place + 1 :]
        response = await client.get("/v1/things", params={"limit": 2, "cursor": changed})
        assert_problem(response, 400, "invalid-cursor")


async def test_replicas_with_one_key_take_each_others_cursors_and_others_do_not(make_app: MakeApp, keys: Keys) -> None:
    async with client_of(make_app(cursor_key="shared"), keys.token()) as one:
        cursor = (await one.get("/v1/things?limit=2")).json()["next_cursor"]
    for key, status in (("shared", 200), ("other", 400), (None, 400)):
        async with client_of(make_app(cursor_key=key), keys.token()) as two:
            assert status == (await two.get(f"/v1/things?limit=2&cursor={cursor}")).status_code
