"""Reading: portfolio, history, explanation, scorecards, rules."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from bellwether_kit.ids import uuid7

PATH = "/accounts/0199f3a0-5c1e-7a10-8f43-2b6f0a1c9d01/health"


@pytest.fixture
async def portfolio(world: Any, saying: Any) -> list[UUID]:
    """Seven accounts of all bands and tiers."""
    ids = [uuid7() for _ in range(7)]
    for number, account_id in enumerate(ids):
        value = {"amount": 1000.0 * number, "currency": "EUR"}
        await world.tell(saying.account(account_id=account_id, tier="ABC"[number % 3], value=value))
        kind = "scope-expanded" if number % 2 else "scope-reduced"
        await world.tell(*(world.evidence(kind, account_id=account_id) for _ in range(number)))
    return ids


@pytest.mark.parametrize("sort", ["score", "-score", "change", "-change", "value", "-value"])
async def test_the_portfolio_is_paged_in_every_order(world: Any, portfolio: list[UUID], sort: str) -> None:
    seen: list[dict[str, Any]] = []
    cursor = None
    while True:
        query = {"limit": 3, "sort": sort} | ({"cursor": cursor} if cursor else {})
        page = (await world.get("/health", **query)).json()
        seen += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert {item["account_id"] for item in seen} == {str(account_id) for account_id in portfolio}
    if sort.endswith("value"):
        keys = [float(item["value_at_stake"]["amount"]) for item in seen]
    else:
        keys = [item[sort.removeprefix("-")] for item in seen]
    assert keys == sorted(keys, reverse=sort.startswith("-"))


async def test_the_portfolio_is_filtered(world: Any, portfolio: list[UUID]) -> None:
    at_risk = (await world.get("/health", band="at-risk")).json()["items"]
    assert {item["band"] for item in at_risk} == {"at-risk"}
    assert {item["tier"] for item in (await world.get("/health", tier="A")).json()["items"]} == {"A"}
    assert (await world.get("/health", owner_id=str(uuid7()))).json()["items"] == []
    answer = await world.get("/health", band="purple")
    assert (answer.status_code, answer.json()["code"]) == (422, "validation-failed")


async def test_history_is_told_newest_first_and_paged(world: Any) -> None:
    await world.happens("order-placed", "order-placed", "complaint-raised")
    first = (await world.get(f"{PATH}/history", limit=2)).json()
    second = (await world.get(f"{PATH}/history", limit=2, cursor=first["next_cursor"])).json()
    moments = [item["at"] for item in first["items"] + second["items"]]
    assert len(moments) == 3
    assert moments == sorted(moments, reverse=True)
    assert second["next_cursor"] is None


async def test_a_past_score_is_explained_as_it_was(world: Any, saying: Any) -> None:
    await world.tell(saying.touch(world.clock.now()), saying.coverage(80.0, world.clock.now()))
    await world.happens("meeting-held", "meeting-held")
    then, past = world.clock.now(), await world.health()
    world.clock.advance(timedelta(days=20))
    await world.tell(saying.touch(world.clock.now()), saying.coverage(10.0, world.clock.now()))
    await world.happens("meeting-declined")

    explained = (await world.get(f"{PATH}/explanation", at=then.isoformat())).json()
    assert explained["score"] == pytest.approx(past["score"], abs=1e-9)
    assert explained["evidence_total"] == 2
    points = sum(measure["points"] for measure in explained["measures"])
    assert explained["score"] - 50 == pytest.approx(points, abs=1e-9)
    now = (await world.get(f"{PATH}/explanation")).json()
    assert now["score"] == pytest.approx((await world.health())["score"], abs=1e-9)
    assert now["evidence"][0]["kind"] == "meeting-declined"


async def test_the_future_is_not_explained_and_an_unknown_account_is_none(world: Any) -> None:
    await world.happens("meeting-held")
    later = (world.clock.now() + timedelta(days=1)).isoformat()
    answer = await world.get(f"{PATH}/explanation", at=later)
    assert (answer.status_code, answer.json()["code"]) == (422, "moment-out-of-reach")
    for path in ("", "/history", "/explanation"):
        answer = await world.get(f"/accounts/{uuid7()}/health{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown-account")


async def test_health_says_when_risk_will_come_if_nothing_happens(world: Any, saying: Any) -> None:
    await world.tell(saying.account(tier="A"), saying.touch(world.clock.now()))
    risk = (await world.health())["time_to_risk"]
    assert risk is not None
    assert risk[:10] == (world.clock.now() + timedelta(days=14.09)).isoformat()[:10]


async def test_the_default_scorecard_is_listed(world: Any) -> None:
    [card] = (await world.get("/scorecards")).json()["items"]
    assert (card["name"], card["version"], card["state"], card["scale"]) == ("default", 1, "published", 6.0)
    assert card["kind_weights"]["renewal-declined"] == -8.0


async def test_a_rule_is_changed_with_a_reason_and_applies_at_once(world: Any) -> None:
    await world.tell(*(world.evidence("meeting-held") for _ in range(3)))
    before = await world.get("/alert-rules/health-below")
    assert (before.json()["version"], before.headers["etag"]) == (0, '"0"')
    settings = {"fire": 80.0, "clear": 85.0, "reason": "we want to hear earlier"}
    answer = await world.put("/alert-rules/health-below", settings, **{"If-Match": '"0"'})
    assert (answer.status_code, answer.json()["fire"]) == (200, 80.0), answer.text
    await world.mailbox.fire_timers()
    assert [alert["status"] for alert in await world.alerts()] == ["open"]
    stale = await world.put("/alert-rules/health-below", settings, **{"If-Match": '"0"'})
    assert stale.status_code == 412
    await world.put("/alert-rules/health-below", {"reason": "back to the default"})
    await world.mailbox.fire_timers()
    assert [alert["status"] for alert in await world.alerts()] == ["resolved"]
    history = (await world.get("/alert-rules/health-below")).json()["history"]
    assert [change["reason"] for change in history] == ["back to the default", "we want to hear earlier"]
    assert history[0]["configuration"] == {}


async def test_decisive_kinds_can_be_chosen_and_are_found_in_evidence_that_is_there_already(world: Any) -> None:
    await world.tell(world.evidence("payment-late"), *(world.evidence("order-placed") for _ in range(5)))
    assert await world.alerts() == []
    await world.put("/alert-rules/decisive-evidence", {"kinds": ["payment-late"], "reason": "cash is tight"})
    await world.mailbox.fire_timers()
    [alert] = await world.alerts()
    assert [reason["rule"] for reason in alert["reasons"]] == ["decisive-evidence"]


@pytest.mark.parametrize(
    ("rule", "body", "status", "code"),
    [
        ("no-such-rule", {"reason": "x"}, 404, "unknown-rule"),
        ("health-below", {"fire": 40.0, "clear": 30.0, "reason": "x"}, 422, "thresholds-out-of-order"),
        ("evidence-burst", {"kinds": ["smoke-signal"], "reason": "x"}, 422, "unknown-kind"),
        ("evidence-burst", {"window_days": 15, "reason": "x"}, 422, "window-out-of-reach"),
        ("renewal-risk", {"window_days": 366, "reason": "x"}, 422, "validation-failed"),
        ("champion-lost", {"tiers": ["D"], "reason": "x"}, 422, "validation-failed"),
        ("health-below", {"fire": 40.0}, 422, "validation-failed"),
        ("health-below", {"fire": 40.0, "reason": "x", "colour": "red"}, 422, "validation-failed"),
    ],
)
async def test_a_rule_that_makes_no_sense_is_refused(
    world: Any, rule: str, body: dict[str, Any], status: int, code: str
) -> None:
    answer = await world.put(f"/alert-rules/{rule}", body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert world.mailbox.admin("SELECT * FROM alert_rule") == []


async def test_a_rule_is_for_some_tiers(world: Any, saying: Any) -> None:
    body = {"tiers": ["B"], "severity": "critical", "reason": "only those"}
    answer = await world.put("/alert-rules/detractor-with-veto", body)
    assert answer.json()["tiers"] == ["B"]
    assert answer.json()["history"][0]["configuration"] == {"tiers": ["B"], "severity": "critical"}
    await world.tell(saying.account(tier="A"), saying.person(sentiment="detractor", veto=True))
    assert await world.alerts() == []
    await world.tell(saying.account(tier="B", version=2))
    assert [(alert["severity"], alert["tier"]) for alert in await world.alerts()] == [("critical", "B")]
