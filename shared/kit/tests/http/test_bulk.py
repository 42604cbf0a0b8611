"""Bulk: every item is judged on its own, in order."""

import json
from typing import Any

import httpx
import pytest
from things.rig import assert_problem


def statuses(response: httpx.Response) -> list[str]:
    assert response.status_code == 200, response.text
    return [item["status"] for item in response.json()["items"]]


async def test_a_bad_item_does_not_keep_out_the_good(client: httpx.AsyncClient) -> None:
    items: list[Any] = [{"name": "a"}, {"name": 1}, {"name": "taken"}, 7, {"name": "b", "x~/y": 1}, {"name": "c"}]
    response = await client.post("/v1/bulk", json={"items": items})
    assert statuses(response) == ["accepted", "rejected", "rejected", "rejected", "rejected", "accepted"]
    problems = [item["problem"] for item in response.json()["items"]]
    assert [problem["code"] for problem in problems[1:3]] == ["validation-failed", "thing-taken"]
    assert problems[1]["errors"][0]["pointer"] == "/items/1/name"
    assert problems[3]["errors"][0]["pointer"] == "/items/3"
    assert problems[4]["errors"][0]["pointer"] == "/items/4/x~0~1y"


async def test_one_object_is_a_list_of_one(client: httpx.AsyncClient) -> None:
    assert statuses(await client.post("/v1/bulk", json={"name": "a"})) == ["accepted"]
    response = await client.post("/v1/bulk", json={"nmae": "a"})
    assert [error["pointer"] for error in response.json()["items"][0]["problem"]["errors"]] == ["/name", "/nmae"]


async def test_ndjson_is_read_line_by_line_and_a_broken_line_is_one_problem(client: httpx.AsyncClient) -> None:
    lines = b'{"name": "a"}\r\n\n{"name": \n{"name": "b", "weight": NaN}\n{"name": "c"}'
    response = await client.post("/v1/bulk", content=lines, headers={"Content-Type": "application/x-ndjson"})
    assert statuses(response) == ["accepted", "rejected", "rejected", "accepted"]
    codes = [item["problem"] and item["problem"]["code"] for item in response.json()["items"]]
    assert codes == [None, "malformed-json", "non-finite-number", None]


async def test_500_items_are_taken_and_501_are_not(client: httpx.AsyncClient) -> None:
    items = [{"name": "a"}] * 501
    assert len(statuses(await client.post("/v1/bulk", json={"items": items[:500]}))) == 500
    assert_problem(await client.post("/v1/bulk", json={"items": items}), 413, "too-many-items")
    lines = "\n".join(map(json.dumps, items))
    response = await client.post("/v1/bulk", content=lines, headers={"Content-Type": "application/x-ndjson"})
    assert_problem(response, 413, "too-many-items")


@pytest.mark.parametrize(
    ("body", "pointer"), [({"items": {}}, "/items"), ({"items": None}, "/items"), ({"items": [], "x": 1}, "/x")]
)
async def test_a_list_that_is_none_is_refused_whole(client: httpx.AsyncClient, body: Any, pointer: str) -> None:
    problem = assert_problem(await client.post("/v1/bulk", json=body), 422, "validation-failed")
    assert pointer == problem["errors"][0]["pointer"]  # type: ignore[index]


async def test_nothing_else_is_read(client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/bulk", content=b"<a/>", headers={"Content-Type": "application/xml"})
    assert_problem(response, 415, "unsupported-media-type")
    response = await client.post("/v1/bulk", content=b"{", headers={"Content-Type": "application/json"})
    assert_problem(response, 400, "malformed-json")
