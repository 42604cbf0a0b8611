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


async def test_a_cap_is_named_beside_the_score_that_it_holds_down(world: Any) -> None:
    await world.tell(*(world.evidence("order-placed") for _ in range(9)), world.evidence("renewal-declined"))
    explained, health = (await world.get(f"{PATH}/explanation")).json(), await world.health()
    assert explained["caps"] == [cap["cap"] for cap in health["caps"]] != []
    assert explained["score"] == pytest.approx(health["uncapped_score"], abs=1e-9)
    then = (await world.get(f"{PATH}/explanation", at=world.clock.now().isoformat())).json()
    assert (then["caps"], then["score"]) == (explained["caps"], pytest.approx(explained["score"], abs=1e-9))


async def test_a_past_score_keeps_the_scorecard_that_made_it(world: Any) -> None:
    await world.happens("meeting-held", "meeting-held", "complaint-raised")
    then, past = world.clock.now().isoformat(), await world.health()
    world.mailbox.admin(
        "INSERT INTO scorecard (tenant, name, version, state, configuration, author, reason, changed_at)"
        " VALUES (%s, 'default', 2, 'published', %s, 'ana', 'complaints weigh more', now())",
        "acme",
        '{"scale": 9.0, "kind_weights": {"complaint-raised": -6.0}}',
    )
    world.clock.advance(timedelta(hours=1))
    await world.happens("meeting-held")
    before = (await world.get(f"{PATH}/explanation", at=then)).json()
    now = (await world.get(f"{PATH}/explanation")).json()
    assert (before["scorecard_version"], now["scorecard_version"]) == (1, 2)
    assert before["score"] == pytest.approx(past["score"], abs=1e-9)
    for explained in (before, now):
        assert sum(m["points"] for m in explained["measures"]) == pytest.approx(explained["score"] - 50, abs=1e-9)
    assert now["evidence"][0]["points"] < before["evidence"][0]["points"]
