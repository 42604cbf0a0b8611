"""The live stream of alert changes: what it tells, where it goes on, and when it ends."""

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from bellwether_kit.db import Database
from bellwether_kit.testing import eventually
from scoring_svc.stream.api import streams_of
from scoring_svc.stream.rules import Place

FIRST = f"0.{UUID(int=0)}.0"
LATE = """
    INSERT INTO alert_change (tenant, alert_id, version, at, change, by, detail)
    VALUES ('acme', %(alert)s, 99, now(), 'commented', 'ana', '{}')
"""
HOLD = """
    WITH s AS (
        INSERT INTO storm (tenant, storm_id, cause, status, began_at)
        VALUES ('acme', gen_random_uuid(), 'burst', 'open', %s) RETURNING storm_id, began_at
    )
    INSERT INTO held_alert (tenant, alert_id, account_id, storm_id, held_at)
    SELECT 'acme', id, account_id, storm_id, began_at FROM s, alert WHERE id = %s
"""
_OVER = text("""
    SELECT bool_and(xact < CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint)) FROM alert_change
""")


def events(answer: httpx.Response) -> list[tuple[str, str, dict[str, Any]]]:
    """Id, type and data of each event of an answer."""
    found = []
    for block in answer.text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if "data" in fields:
            found.append((fields["id"], fields["event"], json.loads(fields["data"])))
    return found


@pytest.fixture
def listen(client: httpx.AsyncClient, auth: Callable[..., dict[str, str]]) -> Callable[..., Any]:
    """Ask for a tenant's stream after an event; it answers whole once it has ended."""

    def asked(after: str | None = None, tenant: str = "acme") -> Any:
        headers = auth("alerts:read", tenant=tenant) | ({} if after is None else {"Last-Event-ID": after})
        return client.get("/v1/alerts/stream", headers=headers)

    return asked


@pytest.fixture
def calm(database: Database) -> Callable[[], Any]:
    """Wait until every transaction older than the newest change is over.

    A stream leaves such changes for its next look; tests of another process on the same engine may hold one open.
    """

    async def over() -> bool:
        async with database.read("acme") as session:
            return (await session.execute(_OVER)).scalar_one() is not False

    return lambda: eventually(over)


@pytest.fixture
def end(calm: Callable[[], Any], app: FastAPI) -> Callable[[], Any]:
    """Ask the process to stop, once what has changed can be told."""

    async def ended() -> None:
        await calm()
        app.state.runtime.draining = True

    return ended


async def trouble(world: Any) -> str:
    await world.tell(*(world.evidence("call-unreturned") for _ in range(3)))
    return str((await world.alerts())[0]["alert_id"])


async def test_a_stream_goes_on_after_the_last_event_and_ends_when_the_process_stops(
    world: Any, listen: Any, end: Any
) -> None:
    alert = await trouble(world)
    await world.post(f"/alerts/{alert}/acknowledge")
    await world.post(f"/alerts/{alert}/comments", {"text": "line\n\none"})
    await end()
    answer = await listen(FIRST)
    assert answer.headers["content-type"].startswith("text/event-stream")
    told = events(answer)
    assert [change for _, change, _ in told] == ["opened", "acknowledged", "commented"]
    assert {data["alert_id"] for _, _, data in told} == {alert}
    assert told[2][2]["detail"]["text"] == "line\n\none"
    assert events(await listen(told[0][0])) == told[1:]
    assert events(await listen(told[2][0])) == []


async def test_a_stream_tells_what_happens_from_now_on_to_its_tenant_only(
    world: Any, listen: Any, app: FastAPI, calm: Any, end: Any
) -> None:
    alert = await trouble(world)
    await calm()
    ours, theirs = asyncio.create_task(listen()), asyncio.create_task(listen(tenant="globex"))
    await eventually(lambda: streams_of(app).open.total() == 2)
    await world.post(f"/alerts/{alert}/acknowledge")
    await end()
    assert [change for _, change, _ in events(await ours)] == ["acknowledged"]
    assert events(await theirs) == []
    assert streams_of(app).open.total() == 0


async def test_the_streams_of_a_tenant_share_one_lookout_and_each_hears_everything_once(
    world: Any, listen: Any, app: FastAPI, calm: Any, end: Any
) -> None:
    alert = await trouble(world)
    streams = streams_of(app)
    early = asyncio.create_task(listen(FIRST))
    await eventually(lambda: streams.open.total() == 1)
    for number in range(3):
        await world.post(f"/alerts/{alert}/comments", {"text": f"before {number}"})
    await calm()
    late, theirs = asyncio.create_task(listen()), asyncio.create_task(listen(FIRST, tenant="globex"))
    await eventually(lambda: streams.open.total() == 3 and len(streams.lookouts) == 2)
    lookout = streams.lookouts["acme"]
    for number in range(5):
        news = lookout.news
        await world.post(f"/alerts/{alert}/comments", {"text": f"after {number}"})
        await eventually(news.is_set)
    await end()
    heard = [[data["version"] for _, _, data in events(await one)] for one in (early, late)]
    assert (heard[0], heard[1]) == (list(range(1, 10)), list(range(5, 10)))
    assert events(await theirs) == []
    assert (lookout.is_over, streams.lookouts) == (True, {})


async def test_what_commits_late_is_told_late_and_not_passed_over(
    world: Any, listen: Any, app: FastAPI, calm: Any, end: Any, postgres: str, database_name: str
) -> None:
    alert = await trouble(world)
    await calm()
    ours = [asyncio.create_task(listen()) for _ in range(2)]
    await eventually(lambda: streams_of(app).open.total() == 2)
    await eventually(lambda: "acme" in streams_of(app).lookouts)
    lookout = streams_of(app).lookouts["acme"]
    with psycopg.connect(postgres.rpartition("/")[0] + f"/{database_name}") as slow:
        slow.execute(LATE, {"alert": alert})
        before = await lookout.read_after(Place(0))
        await world.post(f"/alerts/{alert}/acknowledge")
        assert await lookout.read_after(Place(0)) == before
        slow.commit()
    await end()
    for one in ours:
        assert [change for _, change, _ in events(await one)] == ["commented", "acknowledged"]


async def test_streams_end_when_the_log_can_not_be_read_and_later_ones_find_it_again(
    world: Any, listen: Any, app: FastAPI, end: Any
) -> None:
    alert = await trouble(world)
    open_ = [asyncio.create_task(listen()) for _ in range(2)]
    await eventually(lambda: streams_of(app).open.total() == 2)
    world.mailbox.admin("REVOKE SELECT ON alert_change FROM scoring_api")
    try:
        await asyncio.gather(*open_, return_exceptions=True)
    finally:
        world.mailbox.admin("GRANT SELECT ON alert_change TO scoring_api")
    assert (streams_of(app).open.total(), streams_of(app).lookouts) == (0, {})
    again = asyncio.create_task(listen(FIRST))
    await world.post(f"/alerts/{alert}/acknowledge")
    await end()
    assert [change for _, change, _ in events(await again)] == ["opened", "acknowledged"]


async def test_a_tenant_holds_two_streams_at_most_as_the_settings_say(listen: Any, app: FastAPI, end: Any) -> None:
    open_ = [asyncio.create_task(listen()) for _ in range(2)]
    await eventually(lambda: streams_of(app).open["acme"] == 2)
    refused = await listen()
    assert (refused.status_code, refused.json()["code"]) == (429, "too-many-streams")
    other = asyncio.create_task(listen(tenant="globex"))
    await end()
    assert [answer.status_code for answer in await asyncio.gather(*open_, other)] == [200] * 3


@pytest.mark.parametrize("place", ["", "x", "1.2.3", f"-1.{UUID(int=0)}.0", f"1.{UUID(int=0)}.{2**40}"])
async def test_a_stream_can_not_go_on_after_what_it_never_told(listen: Any, place: str) -> None:
    answer = await listen(place)
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown-place")


async def test_what_is_held_is_not_streamed_until_it_is_released(world: Any, listen: Any, desk: Any, end: Any) -> None:
    told = [world.evidence("call-unreturned", account_id=UUID(int=n)) for n in range(1, 22) for _ in range(3)]
    await world.tell(*told)
    [storm] = (await desk.ask("GET", "/storms")).json()["items"]
    await end()
    before = events(await listen(FIRST))
    assert [change for _, change, _ in before] == ["opened"] * 20
    await desk.ask("POST", f"/storms/{storm['id']}/release", {"reason": "true"})
    await end()
    assert [change for _, change, _ in events(await listen(before[-1][0]))][-1:] == ["released"]


async def test_what_was_told_before_an_alert_was_held_is_told_to_whoever_goes_on_from_there(
    world: Any, listen: Any, end: Any
) -> None:
    alert = await trouble(world)
    world.clock.advance(timedelta(hours=1))
    world.mailbox.admin(HOLD, world.clock.now(), alert)
    await world.post(f"/alerts/{alert}/acknowledge")
    await end()
    assert [change for _, change, _ in events(await listen(FIRST))] == ["opened"]
    world.mailbox.admin("DELETE FROM held_alert")
    assert [change for _, change, _ in events(await listen(FIRST))] == ["opened", "acknowledged"]
