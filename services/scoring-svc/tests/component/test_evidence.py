"""Corrections, retractions, late and early evidence: the score is what the evidence set says, however it came."""

import random
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from prometheus_client import REGISTRY

from bellwether_kit.ids import uuid7


async def test_a_correction_replaces_what_it_corrects_and_a_stale_revision_is_passed_over(world: Any) -> None:
    wrong = world.evidence("meeting-declined")
    await world.tell(wrong)
    right = world.evidence("meeting-held", evidence_id=wrong.evidence_id, revision=2)
    await world.tell(right)
    assert (await world.health())["dimensions"]["heart"] == pytest.approx(58.2570, abs=1e-3)
    await world.tell(wrong, world.evidence("call-unreturned", evidence_id=wrong.evidence_id, revision=1))
    assert (await world.health())["dimensions"]["heart"] == pytest.approx(58.2570, abs=1e-3)


async def test_a_retraction_takes_evidence_back_also_when_it_comes_first(world: Any, saying: Any) -> None:
    first, second = world.evidence("meeting-declined"), world.evidence("order-placed")
    await world.tell(saying.retraction(first))
    await world.tell(first, second)
    await world.tell(saying.retraction(second))
    assert (await world.health())["measures"] == dict.fromkeys((await world.health())["measures"])
    assert (await world.get(f"/accounts/{first.account_id}/health/explanation")).json()["evidence_total"] == 0


async def test_a_retraction_in_the_same_batch_wins_in_any_order(world: Any, saying: Any) -> None:
    said = world.evidence("meeting-declined")
    await world.tell(saying.retraction(said), said, world.evidence("order-placed"))
    health = await world.health()
    assert health["dimensions"]["heart"] is None
    assert health["dimensions"]["wallet"] is not None


async def test_an_account_of_which_a_batch_tells_several_kinds_of_news_is_judged_once(world: Any, saying: Any) -> None:
    long_ago = world.clock.now() - timedelta(days=90)
    dark = saying.account(tier="A", known_since=long_ago)
    champion = saying.person(sentiment="champion")

    await world.tell(dark, world.evidence("order-placed"), champion, saying.touch(world.clock.now()))

    assert world.said("account.alert.opened.v1") == []  # the description alone would have said that it went dark
    assert len(world.said("account.health.changed.v1")) == 1
    assert (await world.health())["dimensions"]["wallet"] > 50
    assert (await world.health())["measures"]["engagement"] > 50


async def test_a_correction_can_move_evidence_to_another_account(world: Any) -> None:
    said = world.evidence("order-placed")
    other = uuid7()
    await world.tell(said)
    await world.tell(world.evidence("order-placed", evidence_id=said.evidence_id, account_id=other, revision=2))
    assert (await world.health())["dimensions"]["wallet"] is None
    assert (await world.health(other))["dimensions"]["wallet"] > 50


async def test_evidence_of_the_future_counts_when_its_time_comes(world: Any) -> None:
    await world.tell(world.evidence("renewal-signed", ago=timedelta(days=-3)), world.evidence("meeting-held"))
    health = await world.health()
    assert health["dimensions"]["wallet"] is None
    await world.days_pass(2)
    assert (await world.health())["dimensions"]["wallet"] is None
    await world.days_pass(1.001)
    assert (await world.health())["dimensions"]["wallet"] == pytest.approx(73.1, abs=0.1)


async def test_evidence_of_the_future_that_is_taken_back_never_counts(world: Any, saying: Any) -> None:
    early = world.evidence("renewal-signed", ago=timedelta(days=-3))
    await world.tell(early, world.evidence("meeting-held"))
    await world.tell(saying.retraction(early))
    await world.days_pass(4)
    assert (await world.health())["dimensions"]["wallet"] is None


async def test_an_unknown_kind_scores_nothing_is_counted_and_shows_as_unknown(world: Any) -> None:
    before = REGISTRY.get_sample_value("bellwether_unknown_evidence_total") or 0.0
    await world.tell(world.evidence("smoke-signal"), world.evidence("meeting-held"), times=2)
    assert REGISTRY.get_sample_value("bellwether_unknown_evidence_total") == before + 1
    assert (await world.health())["measures"]["heart"] == pytest.approx(58.2570, abs=1e-4)
    assert (await world.health())["freshness"]["unknown_evidence"] == 1
    shares = (await world.get("/accounts/0199f3a0-5c1e-7a10-8f43-2b6f0a1c9d01/health/explanation")).json()["evidence"]
    assert {(share["kind"], share["known"]) for share in shares} == {("smoke-signal", False), ("meeting-held", True)}
    assert world.mailbox.dead_letters() == []


async def test_an_event_that_fits_no_schema_is_dead_lettered_and_the_rest_goes_on(world: Any) -> None:
    good = world.evidence("meeting-held")
    bad = world.evidence("meeting-held", magnitude=-1.0)
    await world.tell(good, bad)
    [letter] = world.mailbox.dead_letters()
    assert letter.error_type == "schema-invalid"
    assert (await world.health())["dimensions"]["heart"] > 50


@pytest.mark.parametrize("seed", range(3))
async def test_any_history_of_revisions_ends_in_the_score_of_what_stands(world: Any, saying: Any, seed: int) -> None:
    """Straight sum over what stands at the end, against the service after a random delivery of everything."""
    chance = random.Random(seed)
    start = world.clock.now()
    kinds = ["call-unreturned", "call-returned", "meeting-declined", "order-placed", "advice-sought", "not-invited"]
    events, stands = [], {}
    for _ in range(60):
        said = world.evidence(chance.choice(kinds), ago=timedelta(days=chance.randrange(200)))
        events.append(said)
        stands[said.evidence_id] = said
        if chance.random() < 0.3:
            stands[said.evidence_id] = world.evidence(
                chance.choice(kinds),
                ago=timedelta(days=chance.randrange(200)),
                evidence_id=said.evidence_id,
                revision=2,
            )
            events.append(stands[said.evidence_id])
        if chance.random() < 0.2:
            events.append(saying.retraction(said, revision=3))
            del stands[said.evidence_id]
    events += chance.sample(events, 20)
    chance.shuffle(events)
    while events:
        batch, events = events[:7], events[7:]
        await world.tell(*batch)
    assert world.clock.now() == start

    health = await world.health()
    for measure, expected in reference(stands, start).items():
        assert health["measures"][measure] == pytest.approx(expected, abs=1e-7), measure
    explained = (await world.get(f"/accounts/{health['account_id']}/health/explanation")).json()
    assert explained["evidence_total"] == len(stands)
    assert explained["score"] == pytest.approx(health["score"], abs=1e-9)
    assert explained["confidence"] == pytest.approx(health["confidence"], abs=1e-9)
    points = {share["evidence_id"]: share["points"] for share in explained["evidence"]}
    for driver in health["drivers"]:
        assert points[driver["evidence_id"]] == pytest.approx(driver["points"], abs=1e-9)


def reference(stands: dict[UUID, Any], now: Any) -> dict[str, float | None]:
    """The measures by their definition; nothing is shared with the service but the weights' values."""
    worth = {
        "call-unreturned": -2.0,
        "call-returned": 1.0,
        "meeting-declined": -3.0,
        "order-placed": 1.5,
        "advice-sought": 4.0,
        "not-invited": -5.0,
    }
    half = {"heart": 60, "mind": 120, "wallet": 180}
    sums: dict[str, float] = {}
    rate = {"call-returned": 0.0, "call-unreturned": 0.0}
    for said in stands.values():
        days = (now - said.observed_at) / timedelta(days=1)
        sums[said.dimension] = sums.get(said.dimension, 0.0) + worth[said.kind] * 0.5 ** (days / half[said.dimension])
        if said.kind in rate:
            rate[said.kind] += 0.5 ** (days / 60)
    found: dict[str, float | None] = {
        name: 100 / (1 + 2.718281828459045 ** (-sums[name] / 6)) if name in sums else None for name in half
    }
    asked = sum(rate.values())
    found["responsiveness"] = 100 * (rate["call-returned"] + 2) / (asked + 4) if asked > 1 else None
    return found
