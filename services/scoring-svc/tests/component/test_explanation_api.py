"""A past score is explained by the scorecard that made it; long explanations come in pages."""

from datetime import timedelta
from typing import Any

import pytest

PATH = "/accounts/0199f3a0-5c1e-7a10-8f43-2b6f0a1c9d01/health"


async def test_pages_tell_every_piece_once_in_the_order_of_one_page(world: Any) -> None:
    await world.happens(*["order-placed", "complaint-raised", "smoke-signal"] * 3)
    whole = (await world.get(f"{PATH}/explanation", limit=200)).json()
    pieces: list[Any] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await world.get(f"{PATH}/explanation", limit=4, **cursor)).json()
        pieces += page["evidence"]
        world.clock.advance(timedelta(hours=5))  # pages are about the moment of the first
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert pieces == whole["evidence"]
    assert len(pieces) == whole["evidence_total"] == 9
    assert [(piece["known"], piece["points"]) for piece in pieces if piece["kind"] == "smoke-signal"] == [
        (False, 0.0)
    ] * 3
    losses = [piece["points"] for piece in pieces if piece["points"] < 0]
    assert losses == sorted(losses)
    assert [piece["points"] < 0 for piece in pieces] == [True] * 3 + [False] * 6


def parts(explained: dict[str, Any]) -> float:
    """What measures and caps come to."""
    return sum(part["points"] for part in [*explained["measures"], *explained["caps"]])


async def test_a_cap_is_a_line_of_its_own_that_makes_the_sum_right(world: Any) -> None:
    await world.tell(*(world.evidence("order-placed") for _ in range(9)), world.evidence("renewal-declined"))
    health = await world.health()
    [told] = health["caps"]
    for query in ({}, {"at": world.clock.now().isoformat()}):
        explained = (await world.get(f"{PATH}/explanation", **query)).json()
        assert explained["score"] == health["score"] == 20.0
        assert explained["uncapped_score"] == pytest.approx(health["uncapped_score"], abs=1e-9)
        assert explained["score"] - 50 == pytest.approx(parts(explained), abs=1e-9)
        [cap] = explained["caps"]
        declined = next(piece for piece in explained["evidence"] if piece["kind"] == "renewal-declined")
        assert (cap["cap"], cap["limit"], cap["reason"]) == (told["cap"], told["limit"], told["reason"])
        assert cap["evidence_id"] == declined["evidence_id"]
        assert declined["shown_points"] < declined["points"] < 0
        assert explained["override"] is None


async def test_caps_of_the_past_are_explained_after_they_have_ended(world: Any, saying: Any) -> None:
    await world.tell(saying.person(), saying.person(2, sentiment="detractor", veto=True))
    await world.tell(
        *(world.evidence(kind) for kind in ("meeting-held", "advice-sought", "order-placed") for _ in "12")
    )
    world.clock.advance(timedelta(hours=1))
    await world.tell(saying.person(status="gone", version=2))
    then, past = world.clock.now().isoformat(), await world.health()
    world.clock.advance(timedelta(days=1))
    await world.tell(saying.person(3), saying.person_gone(9, 2))
    explained = (await world.get(f"{PATH}/explanation", at=then)).json()
    assert (explained["score"], past["score"]) == (55.0, 55.0)
    assert [(cap["cap"], cap["evidence_id"]) for cap in explained["caps"]] == [
        ("champion-gone", None),
        ("veto-holder-detractor", None),
    ]
    assert [cap["points"] for cap in explained["caps"]] == [pytest.approx(55.0 - past["uncapped_score"], abs=1e-9), 0.0]
    assert explained["score"] - 50 == pytest.approx(parts(explained), abs=1e-9)
    assert (await world.get(f"{PATH}/explanation")).json()["caps"] == []


async def test_an_override_is_shown_beside_while_it_was_in_force_and_moves_nothing(world: Any) -> None:
    await world.happens("meeting-held", "complaint-raised")
    before = world.clock.now().isoformat()
    world.clock.advance(timedelta(hours=1))
    body = {"score": 90.0, "reason": "met them", "expires_at": (world.clock.now() + timedelta(days=2)).isoformat()}
    headers = world.auth("health:write")
    answer = await world.client.put(f"/v1{PATH}/override", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    during = world.clock.now().isoformat()
    world.clock.advance(timedelta(days=3))  # the worker is away: nobody has ended it
    shown = {}
    for name, query in (("before", {"at": before}), ("during", {"at": during}), ("after", {})):
        explained = (await world.get(f"{PATH}/explanation", **query)).json()
        assert explained["score"] - 50 == pytest.approx(parts(explained), abs=1e-9)
        assert explained["score"] < 90
        shown[name] = explained["override"] and (explained["override"]["score"], explained["override"]["reason"])
    assert shown == {"before": None, "during": (90.0, "met them"), "after": None}


async def test_a_past_score_keeps_the_scorecard_that_made_it(world: Any, scorecards: Any) -> None:
    await world.happens("meeting-held", "meeting-held", "complaint-raised")
    then, past = world.clock.now().isoformat(), await world.health()
    world.clock.advance(timedelta(hours=1))
    await scorecards.publish(await scorecards.draft(scale=9.0, kind_weights={"complaint-raised": -6.0}))
    await world.mailbox.fire_timers()
    await world.happens("meeting-held")
    before = (await world.get(f"{PATH}/explanation", at=then)).json()
    now = (await world.get(f"{PATH}/explanation")).json()
    assert (before["scorecard_version"], now["scorecard_version"]) == (1, 2)
    assert before["score"] == pytest.approx(past["score"], abs=1e-9)
    for explained in (before, now):
        assert sum(m["points"] for m in explained["measures"]) == pytest.approx(explained["score"] - 50, abs=1e-9)
    assert now["evidence"][0]["points"] < before["evidence"][0]["points"]
