"""The live stream of alert changes: what it tells, where it goes on, and when it ends."""

import asyncio
import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from bellwether_kit.db import Database
from bellwether_kit.testing import eventually
from scoring_svc.stream.api import streams_of

FIRST = f"0.{UUID(int=0)}.0"
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
def end(database: Database, app: FastAPI) -> Callable[[], Any]:
    """Ask the process to stop, once every transaction older than the newest change is over.

    A stream leaves such changes for its next look; tests of another process on the same engine may hold one open.
    """

    async def over() -> bool:
        async with database.read("acme") as session:
            return (await session.execute(_OVER)).scalar_one() is not False

    async def ended() -> None:
        await eventually(over)
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
    world: Any, listen: Any, app: FastAPI, end: Any
) -> None:
    alert = await trouble(world)
    ours, theirs = asyncio.create_task(listen()), asyncio.create_task(listen(tenant="globex"))
    await eventually(lambda: streams_of(app).total() == 2)
    await world.post(f"/alerts/{alert}/acknowledge")
    await end()
    assert [change for _, change, _ in events(await ours)] == ["acknowledged"]
    assert events(await theirs) == []
    assert streams_of(app).total() == 0


async def test_a_tenant_holds_two_streams_at_most_as_the_settings_say(listen: Any, app: FastAPI, end: Any) -> None:
    open_ = [asyncio.create_task(listen()) for _ in range(2)]
    await eventually(lambda: streams_of(app)["acme"] == 2)
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
