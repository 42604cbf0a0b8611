"""The past of an account's health: as a series with marks, and as a picture."""

from datetime import date, timedelta
from typing import Any
from xml.etree import ElementTree

import pytest

from bellwether_kit.ids import uuid7

PATH = "/accounts/0199f3a0-5c1e-7a10-8f43-2b6f0a1c9d01/health/history"
OVERRIDE = PATH.replace("history", "override")


async def test_a_day_and_a_week_are_told_by_how_they_ended(world: Any) -> None:
    for _ in range(9):
        await world.happens("order-placed", "complaint-raised")
        world.clock.advance(timedelta(days=1))
    every = (await world.get(PATH, limit=100)).json()["items"]
    for interval, start in (("day", lambda at: at[:10]), ("week", _monday)):
        ends: dict[str, dict[str, Any]] = {}
        for point in every:
            ends.setdefault(start(point["at"]), point)
        assert (await world.get(PATH, interval=interval)).json()["items"] == list(ends.values())


def _monday(at: str) -> str:
    day = date.fromisoformat(at[:10])
    return (day - timedelta(days=day.weekday())).isoformat()


@pytest.mark.parametrize("interval", ["all", "day", "week"])
async def test_pages_leave_out_no_point_and_no_mark_and_tell_none_twice(world: Any, interval: str) -> None:
    for _ in range(3):
        await world.happens("complaint-escalated", "renewal-declined", "not-invited")
        for alert in await world.alerts(status="unresolved"):
            await world.post(f"/alerts/{alert['alert_id']}/resolve", {"reason": "we talked"})
        await world.days_pass(40)
        await world.days_pass(9)
    whole = (await world.get(PATH, interval=interval, limit=200)).json()
    items: list[Any] = []
    marks: list[Any] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await world.get(PATH, interval=interval, limit=2, **cursor)).json()
        items, marks = items + page["items"], marks + page["marks"]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert (items, marks) == (whole["items"], whole["marks"])
    assert len(items) > 2
    assert {mark["kind"] for mark in marks} >= {"opened", "resolved", "cap-began"}


async def set_by_a_person(world: Any, days: float, **said: Any) -> dict[str, Any]:
    body = {"reason": "met them", "expires_at": (world.clock.now() + timedelta(days)).isoformat(), **said}
    answer = await world.client.put(f"/v1{OVERRIDE}", json=body, headers=world.auth("health:write"))
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def told(marks: list[dict[str, Any]], *kinds: str) -> list[tuple[str, str]]:
    """Marks of some kinds and what they are about, oldest first."""
    return [(mark["kind"], mark["about"]) for mark in reversed(marks) if mark["kind"].startswith(kinds)]


async def test_caps_are_marked_where_they_begin_and_end_and_stand_with_each_point(world: Any, saying: Any) -> None:
    await world.happens("meeting-held", "advice-sought")
    await world.tell(saying.person(sentiment="detractor", veto=True))
    await world.happens("renewal-declined")
    start = world.clock.now() + timedelta(seconds=1)
    await world.happens("renewal-signed")
    world.clock.advance(timedelta(minutes=1))
    await world.tell(saying.person(sentiment="neutral", veto=True, version=2))
    whole = (await world.get(PATH)).json()
    assert told(whole["marks"], "cap-") == [
        ("cap-began", "veto-holder-detractor"),
        ("cap-began", "renewal-declined"),
        ("cap-ended", "renewal-declined"),
        ("cap-ended", "veto-holder-detractor"),
    ]
    # A span that begins under a cap has its end, and not its beginning.
    later = (await world.get(PATH, **{"from": start.isoformat()})).json()
    assert [kind for kind, _ in told(later["marks"], "cap-")] == ["cap-ended"] * 2
    capped = [(point["caps"], point["score"] < point["uncapped_score"]) for point in whole["items"]]
    assert (["renewal-declined", "veto-holder-detractor"], True) in capped
    assert next(caps for caps, lower in capped if not lower) == []


async def test_overrides_are_marked_and_told_as_periods_beside_the_computed_series(world: Any) -> None:
    await world.happens("meeting-held", "complaint-raised")
    first = await set_by_a_person(world, 20, score=80.0)
    world.clock.advance(timedelta(days=1))
    second = await set_by_a_person(world, 2, band="at-risk")
    replaced = world.clock.now()
    world.clock.advance(timedelta(days=1))
    during = (await world.get(PATH)).json()
    assert told(during["marks"], "override-") == [
        ("override-set", "score 80"),
        ("override-ended", "score 80"),
        ("override-set", "band at-risk"),
    ]
    world.clock.advance(timedelta(days=5))  # the worker is away: it expired all the same
    after = (await world.get(PATH)).json()
    assert told(after["marks"], "override-")[-1] == ("override-ended", "band at-risk")
    assert {mark["override_id"] for mark in after["marks"] if "override" in mark["kind"]} == {first["id"], second["id"]}
    periods = [(each["score"], each["band"], each["set_at"], each["ends_at"]) for each in after["overrides"]]
    assert periods == [
        (None, "at-risk", second["set_at"], second["expires_at"]),
        (80.0, None, first["set_at"], replaced.isoformat().replace("+00:00", "Z")),
    ]
    assert all(point["score"] != 80.0 for point in after["items"])
    span = {"from": (replaced + timedelta(hours=1)).isoformat(), "to": (replaced + timedelta(hours=2)).isoformat()}
    within = (await world.get(PATH, **span)).json()
    assert ([each["id"] for each in within["overrides"]], within["marks"]) == ([second["id"]], [])


async def test_the_picture_shows_caps_and_what_people_set(world: Any) -> None:
    await world.happens("meeting-held", "renewal-declined")
    await set_by_a_person(world, 2, score=80.0)
    drawn = ElementTree.fromstring((await world.get(f"{PATH}.svg")).text)
    told = ["".join(node.itertext()) for node in drawn.iter("{http://www.w3.org/2000/svg}title")]
    assert any(text.endswith("cap began (renewal-declined)") for text in told)
    assert any(text.endswith("override set (score 80)") for text in told)
    assert any(text.endswith("score 80, set by a person") for text in told)


async def test_a_span_has_only_what_happened_in_it(world: Any) -> None:
    await world.happens("complaint-escalated")
    world.clock.advance(timedelta(days=3))
    start = world.clock.now()
    await world.happens("meeting-held")
    end = world.clock.now()
    await world.happens("advice-sought")
    found = (await world.get(PATH, **{"from": start.isoformat(), "to": end.isoformat()})).json()
    assert [point["at"] for point in found["items"]] == [end.isoformat().replace("+00:00", "Z")]
    assert found["marks"] == []


async def test_the_picture_is_drawn_with_what_happened(world: Any, saying: Any) -> None:
    await world.tell(saying.account(name="<North> & \x01Wind"))
    await world.happens("complaint-escalated", "renewal-declined", "not-invited")
    await world.days_pass(20)
    answer = await world.get(f"{PATH}.svg")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")
    drawn = ElementTree.fromstring(answer.text)
    texts = ["".join(node.itertext()) for node in drawn.iter()]
    assert any(text.startswith("Health of <North> & Wind, ") for text in texts)
    assert any(text.endswith("alert opened (at-risk)") for text in texts)
    assert drawn.findall(".//{http://www.w3.org/2000/svg}polyline")


@pytest.mark.parametrize("path", [PATH, f"{PATH}.svg"])
async def test_a_span_that_ends_before_it_begins_is_refused(world: Any, path: str) -> None:
    await world.happens("meeting-held")
    now = world.clock.now()
    answer = await world.get(path, **{"from": now.isoformat(), "to": (now - timedelta(days=1)).isoformat()})
    assert (answer.status_code, answer.json()["code"]) == (422, "span-out-of-order")
    assert (await world.get(path, interval="year")).status_code == 422


async def test_a_picture_shows_ten_years_and_not_more(world: Any) -> None:
    await world.happens("meeting-held")
    answer = await world.get(f"{PATH}.svg", **{"from": (world.clock.now() - timedelta(days=4_000)).isoformat()})
    assert (answer.status_code, answer.json()["code"]) == (422, "span-out-of-order")


@pytest.mark.parametrize("end", ["", ".svg"])
async def test_an_unknown_account_and_that_of_another_tenant_have_no_history(world: Any, end: str) -> None:
    await world.happens("meeting-held")
    unknown = await world.get(f"/accounts/{uuid7()}/health/history{end}")
    other = await world.get(f"{PATH}{end}", tenant="globex")
    assert [answer.json()["code"] for answer in (unknown, other)] == ["unknown-account"] * 2
    assert [answer.status_code for answer in (unknown, other)] == [404, 404]
