"""Caps: what no score goes above, why, and that it shows; and measures that arrive, last and end."""

from datetime import timedelta
from typing import Any

import pytest


async def sound(world: Any) -> float:
    """An account in good health; gives its score."""
    await world.tell(
        *(world.evidence(kind) for kind in ("meeting-held", "advice-sought", "order-placed") for _ in "123")
    )
    health = await world.health()
    assert (health["caps"], health["uncapped_score"]) == ([], health["score"])
    assert health["score"] > 60
    return float(health["score"])


def names(health: dict[str, Any]) -> list[tuple[str, float]]:
    return [(cap["cap"], cap["limit"]) for cap in health["caps"]]


async def test_a_declined_renewal_caps_at_20_until_one_is_signed(world: Any) -> None:
    await sound(world)
    await world.happens("renewal-declined")
    health = await world.health()
    assert (health["score"], health["band"], names(health)) == (20.0, "at-risk", [("renewal-declined", 20.0)])
    assert health["uncapped_score"] > 40
    assert health["caps"][0]["reason"] == "The client declined to renew and has not signed since."
    said = world.said("account.health.changed.v1")[-1].data
    assert (said["score"], said["caps"][0]["cap"], said["uncapped_score"]) == (
        20.0,
        "renewal-declined",
        health["uncapped_score"],
    )
    await world.happens("renewal-signed")
    health = await world.health()
    assert (names(health), health["score"]) == ([], health["uncapped_score"])
    past = world.mailbox.admin("SELECT score, uncapped_score, caps FROM health_history ORDER BY at")
    assert [entry.caps for entry in past] == [[], ["renewal-declined"], []]
    assert past[1].score == 20.0
    assert past[1].uncapped_score > 40


async def test_a_declined_renewal_is_not_forgotten_under_much_newer_evidence(world: Any, saying: Any) -> None:
    [_] = await world.happens("renewal-declined")
    orders = await world.happens(*["order-placed"] * 70)
    await world.tell(saying.retraction(orders[-1]))
    assert names(await world.health()) == [("renewal-declined", 20.0)]
    await world.days_pass(361)
    assert names(await world.health()) == []


async def test_a_signed_renewal_that_is_told_first_or_taken_back_decides_all_the_same(world: Any, saying: Any) -> None:
    await sound(world)
    signed = world.evidence("renewal-signed")
    await world.tell(signed)
    await world.tell(world.evidence("renewal-declined", ago=timedelta(days=2)))
    assert names(await world.health()) == []
    await world.tell(saying.retraction(signed))
    assert names(await world.health()) == [("renewal-declined", 20.0)]


async def test_a_veto_holder_who_is_a_detractor_caps_at_60(world: Any, saying: Any) -> None:
    before = await sound(world)
    await world.tell(saying.person(sentiment="detractor", veto=True))
    health = await world.health()
    assert (health["score"], names(health)) == (60.0, [("veto-holder-detractor", 60.0)])
    await world.tell(saying.person(sentiment="neutral", veto=True, version=2))
    assert ((await world.health())["score"], names(await world.health())) == (pytest.approx(before), [])


async def test_a_champion_who_is_gone_caps_at_55_until_somebody_takes_the_place(world: Any, saying: Any) -> None:
    before = await sound(world)
    await world.tell(saying.person(), saying.person(2, sentiment="detractor", veto=True))
    await world.tell(saying.person(status="gone", version=2))
    health = await world.health()
    assert (health["score"], names(health)) == (55.0, [("champion-gone", 55.0), ("veto-holder-detractor", 60.0)])
    await world.tell(saying.person(3), saying.person_gone(9, 2))
    assert (await world.health())["score"] == pytest.approx(before)


async def test_a_cap_lifts_nothing_and_where_nothing_is_known_no_band_is_shown(world: Any, saying: Any) -> None:
    await world.tell(saying.person(sentiment="detractor", veto=True))
    health = await world.health()
    assert (health["score"], health["band"]) == (50.0, "unknown")


async def test_reported_measures_count_while_they_are_valid_and_their_weight_is_spread(world: Any, saying: Any) -> None:
    now = world.clock.now()
    await world.tell(saying.account(), saying.touch(now))
    await world.tell(saying.coverage(40.0, now), saying.plan(1, now), saying.metric("csat", 90.0, now))
    health = await world.health()
    shown = {name: value for name, value in health["measures"].items() if value is not None}
    assert shown == {"engagement": 75.0, "coverage": 40.0, "plan": 75.0, "satisfaction": 90.0}
    assert health["score"] == pytest.approx((20 * 75 + 10 * 40 + 5 * 75 + 5 * 90) / 40)
    assert health["confidence"] == pytest.approx(0.4)
    for days, gone in ((60.01, "plan"), (30, "coverage"), (90, "satisfaction")):
        await world.tell(saying.touch(world.clock.now()))
        await world.days_pass(days - 0.02)
        assert (await world.health())["measures"][gone] is not None
        await world.days_pass(0.02)
        assert (await world.health())["measures"][gone] is None, gone


async def test_nps_is_satisfaction_spread_over_0_to_100_and_other_metrics_are_none(world: Any, saying: Any) -> None:
    now = world.clock.now()
    await world.tell(saying.metric("nps", 20.0, now), saying.metric("revenue", 9.0, now + timedelta(hours=1)))
    assert (await world.health())["measures"]["satisfaction"] == 60.0
    await world.tell(saying.metric("csat", 10.0, now - timedelta(days=1)))
    assert (await world.health())["measures"]["satisfaction"] == 60.0
