"""Very many alerts at once are held until a person says what becomes of them, and so are those of a silent source."""

from datetime import datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

import pytest

from bellwether_kit.events import Event, Payload
from bellwether_kit.ids import uuid7

NOBODY = UUID(int=7)


class FeedSilenced(Payload, frozen=True, kw_only=True):
    topic: ClassVar[str] = "client-metrics"
    event_type: ClassVar[str] = "source.feed.silenced.v1"

    source: str
    last_heard_at: datetime
    usual_gap_hours: float = 2.0
    noticed_at: datetime


class FeedResumed(Payload, frozen=True, kw_only=True):
    topic: ClassVar[str] = "client-metrics"
    event_type: ClassVar[str] = "source.feed.resumed.v1"

    source: str
    silent_since: datetime
    heard_at: datetime


async def crossing(world: Any, accounts: int, *, batch: int = 50) -> list[UUID]:
    """So many accounts at which three calls were not returned, told in batches of accounts."""
    ids = [uuid7() for _ in range(accounts)]
    for start in range(0, accounts, batch):
        told = [world.evidence("call-unreturned", account_id=one) for one in ids[start : start + batch] for _ in "123"]
        await world.tell(*told)
    return ids


def event(data: Payload, at: datetime) -> Event:
    return Event.of(data, tenant="acme", subject="hubspot", time=at)


async def storm(desk: Any) -> dict[str, Any]:
    [found] = (await desk.ask("GET", "/storms")).json()["items"]
    return dict(found)


def opened(world: Any) -> list[str]:
    return [row.data["account_id"] for row in world.said("account.alert.opened.v1")]


async def test_two_hundred_accounts_crossing_at_once_are_held_and_released_once_each(
    world: Any, desk: Any, receiver: Any
) -> None:
    await desk.route((await desk.channel("webhook", url=receiver.url))["id"])
    accounts = await crossing(world, 200)
    await world.mailbox.fire_timers()
    assert (len(opened(world)), len(receiver.heard)) == (20, 20)
    held = await storm(desk)
    assert (held["cause"], held["status"], held["held"]) == ("burst", "open", 180)
    [said] = world.said("scoring.storm.held.v1")
    assert (said.data["storm_id"], said.data["cause"]) == (held["id"], "burst")
    assert len(world.mailbox.admin("SELECT 1 FROM alert WHERE status = 'open'")) == 200

    answer = await desk.ask("POST", f"/storms/{held['id']}/release", {"reason": "all true"})
    assert (answer.json()["status"], answer.json()["held"], answer.json()["reason"]) == ("released", 0, "all true")
    await world.mailbox.fire_timers()
    assert sorted(opened(world)) == sorted(map(str, accounts))
    assert sorted(one.json["data"]["account_id"] for one in receiver.heard) == sorted(map(str, accounts))
    again = await desk.ask("POST", f"/storms/{held['id']}/release", {"reason": "again"})
    assert (again.status_code, again.json()["code"]) == (409, "storm-closed")
    await world.mailbox.fire_timers()
    assert (len(opened(world)), len(receiver.heard)) == (200, 200)


async def test_what_becomes_of_a_held_alert_is_told_to_nobody(world: Any, desk: Any) -> None:
    await crossing(world, 22)
    held = await storm(desk)
    detail = (await desk.ask("GET", f"/storms/{held['id']}")).json()
    first, second = (one["alert_id"] for one in detail["alerts"])
    await world.post(f"/alerts/{first}/acknowledge")
    await world.post(f"/alerts/{second}/resolve", {"reason": "a mistake"})
    assert set(world.alert_events()) == {"opened", "held"}
    assert (await storm(desk))["held"] == 1
    await desk.ask("POST", f"/storms/{held['id']}/release", {"reason": "true"})
    told = [row.data for row in world.said("account.alert.opened.v1")]
    assert [(one["alert_id"], one["status"]) for one in told if one["alert_id"] in (first, second)] == [
        (first, "acknowledged")
    ]


async def test_what_is_discarded_is_resolved_and_never_told(world: Any, desk: Any) -> None:
    await crossing(world, 30)
    held = await storm(desk)
    answer = await desk.ask("POST", f"/storms/{held['id']}/discard", {"reason": "a bad import"})
    assert (answer.json()["status"], answer.json()["held"]) == ("discarded", 0)
    assert (len(opened(world)), world.said("account.alert.resolved.v1")) == (20, [])
    resolved = world.mailbox.admin("SELECT resolution FROM alert WHERE status = 'resolved'")
    assert [row.resolution for row in resolved] == ["a bad import"] * 10
    await world.mailbox.fire_timers()
    assert len(world.mailbox.admin("SELECT 1 FROM alert WHERE status = 'open'")) == 20


async def test_the_storm_is_over_when_few_alerts_open_and_another_is_another(world: Any, desk: Any) -> None:
    await crossing(world, 21)
    world.clock.advance(timedelta(minutes=11))
    [late] = await crossing(world, 1)
    assert str(late) in opened(world)
    await desk.ask("POST", f"/storms/{(await storm(desk))['id']}/release", {"reason": "true"})
    await crossing(world, 25)
    storms = (await desk.ask("GET", "/storms")).json()["items"]
    assert [(one["status"], one["held"]) for one in storms] == [("open", 6), ("released", 0)]
    page = (await desk.ask("GET", "/storms?limit=1")).json()
    rest = (await desk.ask("GET", f"/storms?limit=1&cursor={page['next_cursor']}")).json()
    assert [one["id"] for one in (*page["items"], *rest["items"])] == [one["id"] for one in storms]


async def test_alerts_that_come_again_at_once_are_a_storm_too(
    world: Any, saying: Any, desk: Any, receiver: Any
) -> None:
    await desk.route((await desk.channel("webhook", url=receiver.url))["id"])
    accounts = [uuid7() for _ in range(26)]
    back = [saying.person(number, account_id=account) for number, account in enumerate(accounts, 1)]
    gone = [saying.person(n, account_id=account, status="gone", version=2) for n, account in enumerate(accounts, 1)]
    again = [saying.person(n, account_id=account, version=3) for n, account in enumerate(accounts, 1)]
    once_more = [
        saying.person(n, account_id=account, status="gone", version=4) for n, account in enumerate(accounts, 1)
    ]
    await world.tell(*back[:13], *gone[:13])
    world.clock.advance(timedelta(minutes=11))
    await world.tell(*back[13:], *gone[13:])
    world.clock.advance(timedelta(minutes=11))
    await world.tell(*again)
    assert {alert["status"] for alert in await world.alerts()} == {"resolved"}
    await world.mailbox.fire_timers()
    receiver.heard.clear()

    await world.tell(*once_more)
    await world.mailbox.fire_timers()
    assert [one.json["type"] for one in receiver.heard] == ["alert.reopened"] * 20
    held = await storm(desk)
    assert (held["cause"], held["held"]) == ("burst", 6)
    assert {alert["episode"] for alert in await world.alerts(held="true")} == {2}
    await desk.ask("POST", f"/storms/{held['id']}/release", {"reason": "they have gone indeed"})
    await world.mailbox.fire_timers()
    assert [one.json["type"] for one in receiver.heard[20:]] == ["alert.released"] * 6
    assert len({one.json["data"]["alert_id"] for one in receiver.heard}) == 26


@pytest.mark.parametrize(("first", "then"), [("release", "discard"), ("discard", "release"), ("release", "release")])
async def test_a_storm_is_closed_once_and_what_comes_later_changes_nothing(
    world: Any, desk: Any, first: str, then: str
) -> None:
    await crossing(world, 25)
    held = await storm(desk)
    body = {"reason": "we looked"}
    answers = [await desk.ask("POST", f"/storms/{held['id']}/{first}", body, **{"Idempotency-Key": "k"}) for _ in "12"]
    assert (answers[0].status_code, answers[0].json()) == (200, answers[1].json())
    before = await storm(desk), await world.alerts(), world.alert_events()
    late = await desk.ask("POST", f"/storms/{held['id']}/{then}", {"reason": "no, the other way"})
    assert (late.status_code, late.json()["code"]) == (409, "storm-closed")
    assert (await storm(desk), await world.alerts(), world.alert_events()) == before


async def test_lists_mark_what_is_held_and_are_narrowed_by_it(world: Any, desk: Any) -> None:
    await crossing(world, 24)
    held = {one["alert_id"] for one in (await desk.ask("GET", f"/storms/{(await storm(desk))['id']}")).json()["alerts"]}
    assert {one["alert_id"] for one in await world.alerts() if one["held"]} == held
    assert {one["alert_id"] for one in await world.alerts(held="true")} == held
    told = await world.alerts(held="false", sort="-priority", status="unresolved")
    assert (len(told), [one["held"] for one in told]) == (20, [False] * 20)
    pages, cursor = [], {}
    while not pages or cursor["cursor"] is not None:
        page = (await world.get("/alerts", held="true", limit=3, **cursor)).json()
        pages.append([one["alert_id"] for one in page["items"]])
        cursor = {"cursor": page["next_cursor"]}
    assert ([len(page) for page in pages], {one for page in pages for one in page}) == ([3, 1], held)
    one = min(held)
    assert (await world.get(f"/alerts/{one}")).json()["held"]
    assert (await world.post(f"/alerts/{one}/acknowledge")).json()["held"]
    assert not (await world.post(f"/alerts/{one}/resolve", {"reason": "a mistake"})).json()["held"]
    refused = await world.get("/alerts", held="perhaps")
    assert (refused.status_code, refused.json()["code"]) == (422, "validation-failed")


async def dark_while_silent(world: Any, saying: Any) -> UUID:
    """An account of which nothing is known but silence, while a source is silent: its alert is held."""
    began = world.clock.now()
    account = uuid7()
    await world.tell(saying.account(account_id=account, tier="B", known_since=began))
    world.clock.advance(timedelta(days=28, hours=1))
    now = world.clock.now()
    await world.mailbox.deliver(event(FeedSilenced(source="hubspot", last_heard_at=began, noticed_at=now), now))
    await world.mailbox.fire_timers()
    [alert] = await world.alerts(held="true")
    assert (alert["account_id"], opened(world)) == (str(account), [])
    return account


async def test_what_only_silence_spoke_for_is_told_once_when_anything_else_speaks_too(
    world: Any, saying: Any, desk: Any, receiver: Any
) -> None:
    await desk.route((await desk.channel("webhook", url=receiver.url))["id"])
    account = await dark_while_silent(world, saying)
    gone = saying.person(account_id=account, status="gone", version=2)
    await world.tell(gone, times=2)
    await world.mailbox.fire_timers()
    [alert] = await world.alerts(held="false")
    assert {"going-dark", "champion-lost"} <= {reason["rule"] for reason in alert["reasons"]}
    assert world.alert_events() == ["held", "opened"]
    assert [one.json["type"] for one in receiver.heard] == ["alert.released"]
    timeline = (await world.get(f"/alerts/{alert['alert_id']}")).json()["timeline"]
    assert [(entry["change"], entry["by"]) for entry in timeline] == [("opened", "rules"), ("released", "rules")]
    assert timeline[1]["detail"]["joined"] == ["champion-lost"]
    await world.post(f"/alerts/{alert['alert_id']}/acknowledge")
    assert world.alert_events() == ["held", "opened", "acknowledged"]
    held = await storm(desk)
    assert (held["status"], held["held"]) == ("open", 0)
    assert (await desk.ask("POST", f"/storms/{held['id']}/release", {"reason": "empty"})).json()["status"] == "released"


async def test_what_silence_still_speaks_for_alone_stays_held_when_it_changes(world: Any, saying: Any) -> None:
    began = world.clock.now()
    account = await dark_while_silent(world, saying)
    await world.tell(saying.account(account_id=account, name="Renamed", tier="B", known_since=began, version=2))
    await world.days_pass(14.5)
    [alert] = await world.alerts(held="true")
    assert (alert["account_name"], alert["firings"] > 1) == ("Renamed", True)
    assert world.alert_events() == ["held"]


async def test_what_a_burst_holds_waits_for_a_person_whatever_else_speaks_for_it(
    world: Any, saying: Any, desk: Any
) -> None:
    await crossing(world, 21)
    [alert] = await world.alerts(held="true")
    gone = saying.person(account_id=UUID(alert["account_id"]), status="gone", version=2)
    await world.tell(gone)
    [same] = await world.alerts(held="true")
    assert (same["alert_id"], "champion-lost" in {reason["rule"] for reason in same["reasons"]}) == (
        alert["alert_id"],
        True,
    )
    assert len(opened(world)) == 20


@pytest.mark.parametrize("order", [1, -1])
async def test_while_a_source_is_silent_alerts_of_silence_are_held(
    world: Any, saying: Any, desk: Any, order: int
) -> None:
    began = world.clock.now()
    await world.tell(saying.account(tier="B", known_since=began))
    await world.tell(saying.touch(began))
    world.clock.advance(timedelta(days=28, hours=1))
    now = world.clock.now()
    silenced = event(FeedSilenced(source="hubspot", last_heard_at=began, noticed_at=now), now)
    await world.mailbox.deliver(silenced, times=2)
    await world.mailbox.fire_timers()
    assert (opened(world), (await storm(desk))["cause"]) == ([], "silence")
    [alert] = await world.alerts()
    assert "going-dark" in {reason["rule"] for reason in alert["reasons"]}

    world.clock.advance(timedelta(hours=1))
    heard = event(FeedResumed(source="hubspot", silent_since=began, heard_at=now), world.clock.now())
    await world.mailbox.deliver(*(heard, silenced)[::order], times=2)
    assert world.mailbox.admin("SELECT silent FROM feed") == [(False,)]
    other = uuid7()
    await world.tell(saying.account(account_id=other, tier="B", known_since=began))
    await world.mailbox.fire_timers()
    assert (opened(world), (await storm(desk))["held"]) == ([str(other)], 1)


async def test_another_tenants_storm_is_unknown_and_its_alerts_count_for_nobody_else(
    world: Any, desk: Any, client: Any, auth: Any
) -> None:
    await crossing(world, 21)
    held = await storm(desk)
    other = type(desk)(client, auth("alerts:admin", tenant="globex"))
    for method, tail, body in (
        ("GET", "", None),
        ("POST", "/release", {"reason": "x"}),
        ("POST", "/discard", {"reason": "x"}),
    ):
        answer = await other.ask(method, f"/storms/{held['id']}{tail}", body)
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown-storm")
    assert (await other.ask("GET", "/storms")).json()["items"] == []
    assert await storm(desk) == held
    theirs = uuid7()
    await world.tell(*(world.evidence("call-unreturned", account_id=theirs) for _ in "123"), tenant="globex")
    assert str(theirs) in opened(world)
