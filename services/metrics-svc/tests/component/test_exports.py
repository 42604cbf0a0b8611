"""Exports of evidence and activities: all that the filters select, as pages have it, on a real connection too."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from bellwether_kit.http.exports import ROWS
from bellwether_kit.testing import eventually
from bellwether_kit.testing.serving import serving

COUNT = 2 * ROWS + 7
LINES = {"Accept": "application/x-ndjson"}
PATHS = ("/v1/evidence", "/v1/activities")

# Three of each share a moment.
EVIDENCE = """
    INSERT INTO evidence (tenant, evidence_id, account_id, rule, anchor, kind, family, dimension, polarity, magnitude,
                          observed_at, recorded_at, revision, source, contact_ids, activity_ids, retracted_for)
    SELECT %s, CAST(md5('e' || n) AS uuid), CAST(md5('a' || n %% 5) AS uuid), 'reported', n,
           (ARRAY['meeting-held', 'call-returned'])[1 + n %% 2], 'meetings', 'heart', 1, 1,
           CAST('2026-01-01T00:00:00Z' AS timestamptz) + n / 3 * interval '1 hour', now(), 1, 'crm',
           ARRAY[CAST(md5('c' || n) AS uuid)], '{}', CASE n %% 10 WHEN 0 THEN 'corrected' END
    FROM generate_series(1, %s) AS n
"""
ACTIVITIES = """
    INSERT INTO activity (tenant, activity_id, source, external_id, revision, type, outcome, occurred_at, recorded_at,
                          account_id, reference_kind, reference_source, reference_value, contact_ids, amount, currency,
                          attributes)
    SELECT %s, CAST(md5('x' || n) AS uuid), 'crm', n, 1, (ARRAY['meeting', 'call'])[1 + n %% 2], 'held',
           CAST('2026-01-01T00:00:00Z' AS timestamptz) + n / 3 * interval '1 hour', now(),
           CAST(md5('a' || n %% 5) AS uuid), 'external', 'crm', 'company', '{}', 12.50, 'EUR', '{"stage": "é"}'
    FROM generate_series(1, %s) AS n
"""


@pytest.fixture
def told(admin: Any) -> None:
    """More than two reads of both at one tenant, and a few at another."""
    for statement in (EVIDENCE, ACTIVITIES):
        admin(statement, "acme", COUNT)
        admin(statement.replace("'e'", "'other'").replace("'x'", "'other'"), "globex", 4)


@pytest.fixture
async def wire(app: FastAPI, crm: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client with a connection that can break."""
    async with (
        serving(app) as (_, url),
        httpx.AsyncClient(base_url=url, headers=crm.headers | LINES, timeout=30) as made,
    ):
        yield made


async def exported(crm: Any, path: str, **query: Any) -> list[dict[str, Any]]:
    answer = await crm.client.get(path, params=query, headers=crm.headers | LINES)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-ndjson"), answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


async def paged(crm: Any, path: str, **query: Any) -> list[dict[str, Any]]:
    page = await crm.get(path, limit=200, **query)
    found = list(page["items"])
    while page["next_cursor"] is not None:
        page = await crm.get(path, limit=200, cursor=page["next_cursor"], **query)
        found += page["items"]
    return found


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize("path", PATHS)
async def test_an_export_is_all_pages_line_by_line(crm: Any, of_globex: Any, path: str) -> None:
    found = await exported(crm, path)
    assert len({item["id"] for item in found}) == COUNT
    assert found == await paged(crm, path)
    assert len(await exported(of_globex, path)) == 4


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/v1/evidence", {"kind": "meeting-held", "status": "recorded"}),
        ("/v1/evidence", {"from": "2026-01-02T00:00:00Z", "to": "2026-01-10T00:00:00Z"}),
        ("/v1/activities", {"type": "call", "from": "2026-01-02T00:00:00Z"}),
    ],
)
async def test_an_export_has_what_the_filters_select(crm: Any, path: str, query: dict[str, str]) -> None:
    found = await exported(crm, path, **query)
    assert 0 < len(found) < COUNT
    assert found == await paged(crm, path, **query)
    account = found[0]["account_id"]
    [only] = {item["account_id"] for item in await exported(crm, path, account_id=account)}
    assert only == account


@pytest.mark.parametrize("path", PATHS)
async def test_an_export_of_nothing_is_empty(crm: Any, path: str) -> None:
    assert await exported(crm, path) == []


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("query", [{"from": "yesterday"}, {"limit": "10"}, {"colour": "red"}])
async def test_a_bad_question_is_a_problem_and_no_stream(crm: Any, path: str, query: dict[str, str]) -> None:
    answer = await crm.client.get(path, params=query, headers=crm.headers | LINES)
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, answer.json()["code"]) == (422, "validation-failed")


@pytest.mark.usefixtures("told")
async def test_an_export_that_meets_an_error_is_cut(wire: httpx.AsyncClient, admin: Any) -> None:
    admin("UPDATE activity SET attributes = '[]' WHERE external_id = '1' AND tenant = 'acme'")  # the very last
    body = bytearray()

    async def read(answer: httpx.Response) -> None:
        async for chunk in answer.aiter_bytes():
            body.extend(chunk)

    async with wire.stream("GET", "/v1/activities") as answer:
        assert answer.status_code == 200
        with pytest.raises(httpx.RemoteProtocolError, match="incomplete chunked read"):
            await read(answer)
    assert body.count(b"\n") == 2 * ROWS


async def test_a_client_that_leaves_ends_the_walk(wire: httpx.AsyncClient, crm: Any, admin: Any, app: FastAPI) -> None:
    admin(EVIDENCE, "acme", 40 * ROWS)
    async with wire.stream("GET", "/v1/evidence") as answer:
        await anext(answer.aiter_bytes())
        assert app.state.runtime.exports["acme"] == 1
    await eventually(lambda: app.state.runtime.exports["acme"] == 0)
    assert len((await crm.get("/v1/evidence", limit=3))["items"]) == 3
