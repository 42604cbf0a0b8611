"""One living alert per kind: what is at risk, what slips and what could grow are told apart."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec


def told(alerts: list[dict[str, Any]]) -> dict[str, tuple[str, list[str], str]]:
    return {a["kind"]: (a["status"], [r["rule"] for r in a["reasons"]], a["suggested_play"]) for a in alerts}


async def test_a_lost_champion_and_a_late_plan_are_two_alerts_each_with_its_play(world: Any, saying: Any) -> None:
    now = world.clock.now()
    due = [(now - timedelta(days=9)).date(), (now - timedelta(days=10)).date()]
    said = [saying.account(), saying.person(), saying.person(status="gone", version=2), saying.plan(due, now)]
    for event in (*said, *said[::-1]):
        await world.tell(event, times=2)
    assert told(await world.alerts()) == {
        "at-risk": ("open", ["champion-lost"], "recover-relationship"),
        "plan": ("open", ["plan-slipping"], "unblock-plan"),
    }
    assert sorted(world.alert_events()) == ["opened", "opened"]

    world.clock.advance(timedelta(hours=1))
    await world.tell(saying.plan([], world.clock.now()))
    assert told(await world.alerts())["plan"] == ("resolved", [], "unblock-plan")
    assert told(await world.alerts())["at-risk"][0] == "open"
    await world.tell(saying.person(2))
    assert [alert["status"] for alert in await world.alerts()] == ["resolved", "resolved"]


async def test_a_plan_starts_to_slip_by_time_alone(world: Any, saying: Any) -> None:
    now = world.clock.now()
    await world.tell(saying.plan([now.date()] * 2, now))
    await world.days_pass(7.5)
    assert await world.alerts(kind="plan") == []
    await world.days_pass(1)
    [alert] = await world.alerts(kind="plan")
    assert (alert["severity"], alert["summary"][:34]) == ("medium", "An account falls behind its plan: ")


async def test_a_single_thread_is_told_when_it_has_lasted_two_weeks(world: Any, saying: Any) -> None:
    await world.tell(saying.coverage(50.0, world.clock.now(), people=1))
    await world.days_pass(13.9)
    assert await world.alerts() == []
    await world.days_pass(0.2)
    assert told(await world.alerts())["at-risk"][1] == ["single-threaded"]


async def test_a_veto_against_us_opens_and_erasing_the_person_resolves(world: Any, saying: Any) -> None:
    await world.tell(saying.person(sentiment="detractor", veto=True))
    assert told(await world.alerts())["at-risk"][:2] == ("open", ["detractor-with-veto"])
    await world.tell(saying.person_gone(version=2))
    assert told(await world.alerts())["at-risk"][:2] == ("resolved", [])


async def test_whitespace_with_an_open_mind_calls_for_growth(world: Any, saying: Any) -> None:
    await world.tell(saying.account(whitespace={"amount": 500_000.0, "currency": "EUR"}))
    assert await world.alerts() == []
    await world.tell(world.evidence("advice-sought"), world.evidence("invited-early"))
    assert told(await world.alerts()) == {"growth": ("open", ["growth-opportunity"], "grow-account")}


async def test_refusals_out_of_pattern_are_a_reason_and_retracting_them_mends_it(world: Any, saying: Any) -> None:
    past = [world.evidence("client-contacted", ago=timedelta(days=40 + day)) for day in range(20)]
    refused = [world.evidence("email-unreturned", ago=timedelta(days=day)) for day in range(4)]
    await world.tell(*past, *refused, saying.account())
    assert "pattern-break" in told(await world.alerts())["at-risk"][1]
    await world.tell(*(saying.retraction(each) for each in refused))
    assert told(await world.alerts())["at-risk"][:2] == ("resolved", [])


async def test_days_that_nobody_counted_are_read_from_the_ledger(world: Any, saying: Any) -> None:
    past = [world.evidence("client-contacted", ago=timedelta(days=40 + day)) for day in range(20)]
    refused = [world.evidence("email-unreturned", ago=timedelta(days=day)) for day in range(4)]
    await world.tell(*past, *refused[:3])
    [row] = world.mailbox.admin("SELECT state FROM account_health")
    kept = msgspec.msgpack.decode(row.state)
    [place] = [i for i, part in enumerate(kept) if isinstance(part, dict) and any(isinstance(key, int) for key in part)]
    assert sum(pieces for _, pieces in kept[place].values()) == 23
    kept[place] = None
    world.mailbox.admin("UPDATE account_health SET state = %s", msgspec.msgpack.encode(kept))
    await world.tell(refused[3])
    assert "pattern-break" in told(await world.alerts())["at-risk"][1]


async def test_a_removed_account_leaves_no_alert_of_any_kind_open(world: Any, saying: Any) -> None:
    now = world.clock.now()
    await world.tell(saying.account(), saying.plan([(now - timedelta(days=20)).date()] * 2, now))
    await world.tell(saying.person(sentiment="detractor", veto=True))
    assert len(await world.alerts(status="open")) == 2
    await world.tell(saying.account_gone(version=2))
    assert await world.alerts(status="unresolved") == []
    assert UUID((await world.alerts())[0]["account_id"])
