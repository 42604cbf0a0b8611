"""The portfolio: in every order and narrowed in every way, page by page and by an index; and in figures."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from bellwether_kit.db.unit_of_work import Database
from bellwether_kit.ids import uuid7
from bellwether_kit.testing import eventually
from scoring_svc.portfolio import store

SORTS = ("score", "change", "value", "priority", "confidence")
OWNERS = (uuid7(), uuid7())
ACCOUNT = UUID("0199f3a0-5c1e-7a10-8f43-2b6f0a1c9d01")


async def test_accounts_are_counted_by_band_and_tier_and_owner(world: Any, saying: Any) -> None:
    owner, mine = uuid7(), uuid7()
    told = [("A", "meeting-held"), ("A", "complaint-escalated"), ("B", "meeting-held"), (None, "meeting-held")]
    for number, (tier, kind) in enumerate(told):
        account_id = mine if number == 1 else uuid7()
        more = {"owner_id": owner} if number == 1 else {}
        await world.tell(saying.account(account_id=account_id, tier=tier, **more))
        await world.tell(*(world.evidence(kind, account_id=account_id) for _ in range(6)))
    found = (await world.get("/health/summary")).json()
    assert (found["accounts"], found["tiers"]) == (4, {"A": 2, "B": 1, "C": 0})
    assert found["bands"] == {"healthy": 3, "watch": 0, "at-risk": 1, "unknown": 0}
    order = [(group["tier"], group["band"], group["accounts"]) for group in found["groups"]]
    assert order == [("A", "healthy", 1), ("A", "at-risk", 1), ("B", "healthy", 1), (None, "healthy", 1)]
    own = (await world.get("/health/summary", owner_id=str(owner))).json()
    [group] = own["groups"]
    assert group["mean_score"] == (await world.health(mine))["score"]
    assert (await world.get("/health/summary", tenant="globex")).json()["accounts"] == 0
    assert (await world.get("/health/summary", owner_id="me")).status_code == 422


async def test_the_portfolio_is_narrowed_by_confidence_and_by_what_changed(world: Any) -> None:
    sure, vague = uuid7(), uuid7()
    await world.tell(*(world.evidence("meeting-held", account_id=sure) for _ in range(6)))
    await world.tell(world.evidence("meeting-held", account_id=vague))
    limit = (await world.health(sure))["confidence"]
    assert await listed(world, min_confidence=limit) == {sure}
    world.clock.advance(timedelta(days=1))
    since = world.clock.now().isoformat()
    await world.tell(world.evidence("advice-sought", account_id=vague))
    assert await listed(world, changed_since=since) == {vague}
    assert await listed(world) == {sure, vague}
    assert (await world.get("/health", min_confidence=2)).status_code == 422


async def listed(world: Any, **query: Any) -> set[UUID]:
    return {UUID(item["account_id"]) for item in (await world.get("/health", **query)).json()["items"]}


@pytest.fixture
async def portfolio(world: Any, saying: Any) -> list[UUID]:
    """Nine accounts of all bands; two are known by their evidence only, one was removed, one has two alerts."""
    ids = [*(uuid7() for _ in range(9)), ACCOUNT]
    for number, account_id in enumerate(ids):
        kind = "order-placed" if number % 2 else "complaint-raised"
        if number not in (3, 8):
            facts = {
                "tier": ("A", "B", None)[number % 3],
                "owner_id": OWNERS[number % 2],
                "value": {"amount": 1_000.0 * (number // 2), "currency": "EUR"},
                "industry": ("retail", "steel")[number // 5],
                "territory": None if number == 4 else "north",
            }
            await world.tell(saying.account(account_id=account_id, **facts))
        await world.tell(*(world.evidence(kind, account_id=account_id) for _ in range(number)))
        world.clock.advance(timedelta(hours=1))
    world.clock.advance(timedelta(days=1))
    for account_id in ids[1:7:2]:
        await world.tell(
            *(world.evidence("advice-sought", account_id=account_id) for _ in range(1 + ids.index(account_id)))
        )
    late = [(world.clock.now() - timedelta(days=30)).date()] * 3
    await world.tell(saying.plan(late, world.clock.now(), account_id=ids[4]))
    await world.tell(saying.account_gone(2))
    return ids[:9]


async def whole(world: Any, limit: int = 200, **query: Any) -> list[dict[str, Any]]:
    """All pages of a list."""
    seen: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = await world.get("/health", limit=limit, **query, **cursor)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        seen += page["items"]
        if page["next_cursor"] is None:
            return seen
        assert len(page["items"]) == limit
        cursor = {"cursor": page["next_cursor"]}


def figure(item: dict[str, Any], by: str) -> float | None:
    """What an account is sorted by; None where it has nothing of the kind."""
    if by == "value":
        return None if item["account_name"] is None else float((item["value_at_stake"] or {"amount": 0})["amount"])
    if by == "priority":
        return None if item["alert"] is None else float(item["alert"]["priority"])
    return float(item[by])


@pytest.mark.parametrize("by", SORTS)
@pytest.mark.parametrize("minus", ["", "-"])
async def test_pages_are_the_list_whole_and_in_order_and_who_has_no_figure_comes_last(
    world: Any, portfolio: list[UUID], by: str, minus: str
) -> None:
    items = await whole(world, sort=minus + by)
    assert {item["account_id"] for item in items} == {str(account_id) for account_id in portfolio}
    assert len(items) == len(portfolio)
    figures = [figure(item, by) for item in items]
    known = [each for each in figures if each is not None]
    assert figures == sorted(known, reverse=bool(minus)) + [None] * (len(figures) - len(known))
    assert len(set(known)) > 2
    for limit in (1, 4):
        assert await whole(world, limit, sort=minus + by) == items


NARROWINGS: dict[str, tuple[str, Callable[[dict[str, Any]], bool]]] = {
    "band": ("at-risk", lambda item: item["band"] == "at-risk"),
    "tier": ("A", lambda item: item["tier"] == "A"),
    "owner_id": (str(OWNERS[1]), lambda item: item["owner_id"] == str(OWNERS[1])),
    "industry": ("steel", lambda item: item["industry"] == "steel"),
    "territory": ("north", lambda item: item["territory"] == "north"),
    "min_confidence": ("0.2", lambda item: item["confidence"] >= 0.2),
    "alerts": ("unresolved", lambda item: item["alert"] is not None),
}


@pytest.mark.parametrize("by", SORTS)
async def test_every_narrowing_and_two_of_them_hold_in_every_order(world: Any, portfolio: list[UUID], by: str) -> None:
    items = await whole(world, sort=by)
    for first, (one, fits) in NARROWINGS.items():
        found = [item for item in items if fits(item)]
        assert 0 < len(found) < len(items), first
        assert await whole(world, 2, sort=by, **{first: one}) == found, first
        for second, (other, fits_too) in NARROWINGS.items():
            both = await whole(world, sort=by, **{first: one, second: other})
            assert both == [item for item in found if fits_too(item)], (first, second)
    since = sorted(item["changed_at"] for item in items)[len(items) // 2]
    changed = [item for item in items if item["changed_at"] >= since]
    assert await whole(world, sort=by, changed_since=since) == changed != items
    quiet = [item for item in items if item["alert"] is None]
    assert await whole(world, 2, sort=by, alerts="none") == quiet != []


async def test_an_account_stands_where_its_most_pressing_alert_puts_it(world: Any, portfolio: list[UUID]) -> None:
    items = await whole(world, sort="-priority")
    alerts = await world.alerts(status="unresolved", sort="-priority")
    of_two = [alert for alert in alerts if alert["account_id"] == str(portfolio[4])]
    assert len(of_two) == 2
    pressing: dict[str, Any] = {}
    for alert in alerts:
        pressing.setdefault(alert["account_id"], alert)
    assert [item["account_id"] for item in items if item["alert"]] == list(pressing)
    for item in items:
        if item["alert"] is not None:
            for name in ("alert_id", "kind", "severity", "status", "priority"):
                assert item["alert"][name] == pressing[item["account_id"]][name]


async def test_what_a_person_set_stands_beside_until_it_expires(world: Any, portfolio: list[UUID]) -> None:
    body = {"band": "healthy", "reason": "x", "expires_at": (world.clock.now() + timedelta(days=2)).isoformat()}
    path = f"/v1/accounts/{portfolio[6]}/health/override"
    assert (await world.client.put(path, json=body, headers=world.auth("health:write"))).status_code == 200
    shown = {item["account_id"]: item for item in await whole(world)}
    override = shown[str(portfolio[6])]["override"]
    assert (override["score"], override["band"]) == (None, "healthy")
    assert datetime.fromisoformat(override["expires_at"]) == world.clock.now() + timedelta(days=2)
    assert shown[str(portfolio[6])]["band"] == "at-risk"
    assert [item["account_id"] for item in shown.values() if item["override"]] == [str(portfolio[6])]
    world.clock.advance(timedelta(days=2))  # the worker is away: nothing is written
    assert [item["override"] for item in await whole(world)] == [None] * len(portfolio)


async def asked_twice(world: Any, path: str) -> tuple[httpx.Response, dict[str, str]]:
    """An answer, and the headers with which it is not sent again unless anybody on the engine writes meanwhile."""

    async def again() -> tuple[httpx.Response, dict[str, str]]:
        first = await world.get(path)
        headers = world.auth("health:read") | {"If-None-Match": first.headers["ETag"]}
        assert (await world.client.get(f"/v1{path}", headers=headers)).status_code == 304
        return first, headers

    return await eventually(again)  # tests of another process may have written


async def test_the_same_again_is_not_sent_while_nothing_was_written(world: Any, portfolio: list[UUID]) -> None:
    for path in ("/health", "/health/summary"):
        first, headers = await asked_twice(world, path)
        await world.tell(world.evidence("meeting-held", account_id=portfolio[0]))
        after = await world.client.get(f"/v1{path}", headers=headers)
        assert after.status_code == 200
        assert after.json() != first.json()
        other = await world.client.get(f"/v1{path}", headers=headers | world.auth("health:read", tenant="globex"))
        assert other.status_code == 200
        assert "accounts" not in other.json() or other.json()["accounts"] == 0


async def test_what_an_account_is_follows_its_profile(world: Any, saying: Any, portfolio: list[UUID]) -> None:
    changed = {"tier": "C", "industry": "paper", "territory": "south", "owner_id": OWNERS[0]}
    await world.tell(saying.account(account_id=portfolio[3], **changed))
    for name, value in changed.items():
        found = await whole(world, **{name: str(value)})
        assert str(portfolio[3]) in {item["account_id"] for item in found}, name
    counted = (await world.get("/health/summary", industry="paper", territory="south")).json()
    assert (counted["accounts"], counted["tiers"]) == (1, {"A": 0, "B": 0, "C": 1})
    assert (await world.get("/health/summary")).json()["accounts"] == len(portfolio)


@pytest.mark.parametrize(
    "query",
    [
        {"sort": "name"},
        {"alerts": "open"},
        {"industry": ""},
        {"territory": "x" * 201},
        {"tier": "D"},
        {"colour": "red"},
    ],
)
async def test_what_is_no_narrowing_and_no_order_is_refused(world: Any, query: dict[str, str]) -> None:
    answer = await world.get("/health", **query)
    assert (answer.status_code, answer.json()["code"]) == (422, "validation-failed")


async def test_a_cursor_goes_on_with_its_own_list_only(world: Any, portfolio: list[UUID]) -> None:
    cursor = (await world.get("/health", limit=1, sort="value")).json()["next_cursor"]
    for query in ({"sort": "-value"}, {"sort": "value", "tier": "A"}):
        answer = await world.get("/health", limit=1, cursor=cursor, **query)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid-cursor")


# A vacuum marks pages as seen by all only if their rows are known to be on the disk.
MANY = """
    SET synchronous_commit = on;
    INSERT INTO account (tenant, account_id, version, removed, name, tier, owner_id, value_amount, industry, territory)
    SELECT 'acme', CAST(md5('a' || n) AS uuid), 1, false, 'Account', CASE n % 10 WHEN 0 THEN 'A' ELSE 'B' END,
           CAST(md5('o' || n % 97) AS uuid), n % 4999, 'i' || n % 53, 't' || n % 71
    FROM generate_series(1, 30000) AS n;
    INSERT INTO account_health (tenant, account_id, evaluated_at, changed_at, score, change, confidence, sequence,
                                scorecard, scorecard_version, stale, band, tier, state)
    SELECT 'acme', CAST(md5('a' || n) AS uuid), now(), now() - n * interval '1 minute', n % 100, n % 31, n % 97 / 97.0,
           1, 'default', 1, false, CASE WHEN n % 50 = 0 THEN 'unknown' WHEN n % 100 >= 70 THEN 'healthy'
           WHEN n % 100 >= 40 THEN 'watch' ELSE 'at-risk' END, CASE n % 10 WHEN 0 THEN 'A' ELSE 'B' END,
           decode(repeat(md5(CAST(n AS text)), 40), 'hex')
    FROM generate_series(1, 30000) AS n;
    INSERT INTO alert (tenant, id, account_id, version, kind, status, severity, current, episode, firings, priority,
                       opened_at, last_fired_at, reasons, said)
    SELECT 'acme', CAST(md5('x' || n) AS uuid), CAST(md5('a' || n) AS uuid), 1, 'at-risk', 'open', 'high', true, 1, 1,
           n % 997, now(), now(), '[]', '{}'
    FROM generate_series(1, 30000, 4) AS n;
"""
GIVEN = {
    "band": "healthy",
    "tier": "A",
    "owner_id": UUID("1c5cfdc3-2f47-2d0a-ed1b-2f31c6c3a9c5"),
    "industry": "i7",
    "territory": "t9",
    "changed_since": datetime.now(UTC) - timedelta(minutes=5),
}


async def test_a_page_of_many_is_read_along_an_index(world: Any, database: Database) -> None:
    for statement in (MANY, "VACUUM account, account_health, alert", "ANALYZE account, account_health, alert"):
        world.mailbox.admin(statement)
    cases = [(frozenset[str](), goes_on) for goes_on in (False, True)] + [(frozenset({name}), False) for name in GIVEN]
    for names, goes_on in cases:
        for sort in (sign + by for by in SORTS for sign in ("", "-") if by != "confidence"):
            given = {name: GIVEN[name] for name in names} | {"tenant": "acme", "now": datetime.now(UTC)}
            given |= {"place": 20.0, "tie": UUID(int=1 << 127)} if goes_on else {}
            statement = f"EXPLAIN (ANALYZE, FORMAT JSON) {store.walk(sort, names, 51, goes_on=goes_on).text}"
            async with database.read("acme") as session:
                [explained] = (await session.execute(text(statement), given)).scalar_one()
            nodes = list(nodes_of(explained["Plan"]))
            scanned = {node.get("Relation Name") for node in nodes if node["Node Type"] == "Seq Scan"}
            assert not scanned & {"account", "account_health"}, f"{sort} {set(names)}\n{explained}"
            sorted_ = [
                sum(each["Actual Rows"] for each in node["Plans"]) for node in nodes if node["Node Type"] == "Sort"
            ]
            assert max(sorted_, default=0) < 3_000, f"{sort} {set(names)}\n{explained}"


def nodes_of(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A plan and all below it."""
    yield plan
    for part in plan.get("Plans", []):
        yield from nodes_of(part)
