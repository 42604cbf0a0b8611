"""The portfolio as an export: what its pages have, in every order, those that have nothing to be sorted by included."""

import json
from typing import Any

import pytest

from bellwether_kit.http.exports import ROWS

COUNT = 2 * ROWS + 7

# Of one account in three nothing was told but evidence; one in four has an alert.
PORTFOLIO = """
    INSERT INTO account (tenant, account_id, version, removed, name, tier, value_amount)
    SELECT 'acme', CAST(md5('a' || n) AS uuid), 1, false, 'Account', 'A', n % 90
    FROM generate_series(1, COUNT) AS n WHERE n % 3 > 0;
    INSERT INTO account_health (tenant, account_id, evaluated_at, changed_at, score, change, confidence, sequence,
                                scorecard, scorecard_version, stale, band)
    SELECT 'acme', CAST(md5('a' || n) AS uuid), now(), now(), n % 100, n % 31, n % 97 / 97.0, 1, 'default', 1, false,
           CASE WHEN n % 100 < 40 THEN 'at-risk' ELSE 'watch' END
    FROM generate_series(1, COUNT) AS n;
    INSERT INTO alert (tenant, id, account_id, version, kind, status, severity, current, episode, firings, priority,
                       opened_at, last_fired_at, reasons, said)
    SELECT 'acme', CAST(md5('x' || n) AS uuid), CAST(md5('a' || n) AS uuid), 1, 'at-risk', 'open', 'high', true, 1, 1,
           n % 50, now(), now(), '[]', '{}'
    FROM generate_series(1, COUNT, 4) AS n
"""


async def exported(world: Any, tenant: str = "acme", **query: str) -> list[dict[str, Any]]:
    headers = world.auth("health:read", tenant=tenant) | {"Accept": "application/x-ndjson"}
    answer = await world.client.get("/v1/health", params=query, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-ndjson"), answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


async def paged(world: Any, **query: str) -> list[dict[str, Any]]:
    page = (await world.get("/health", limit=200, **query)).json()
    found = list(page["items"])
    while page["next_cursor"] is not None:
        page = (await world.get("/health", limit=200, cursor=page["next_cursor"], **query)).json()
        found += page["items"]
    return found


@pytest.mark.parametrize("sort", ["score", "-change", "value", "-priority", "confidence"])
async def test_the_portfolio_is_exported_as_its_pages_have_it(world: Any, admin: Any, sort: str) -> None:
    for statement in PORTFOLIO.split(";"):
        admin(statement.replace("COUNT", str(COUNT)))
    found = await exported(world, sort=sort)
    assert len({item["account_id"] for item in found}) == COUNT
    assert found == await paged(world, sort=sort)
    narrowed = await exported(world, sort=sort, band="at-risk")
    assert narrowed == [item for item in found if item["band"] == "at-risk"] != found
    assert await exported(world, tenant="globex") == []
