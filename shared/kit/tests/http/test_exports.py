"""Exports: every item of a list, line by line, whatever the client and the database do meanwhile."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Any

import httpx
import pytest
import uvicorn
from fastapi import Depends, FastAPI, Response
from sqlalchemy.exc import OperationalError
from starlette.types import Message, Receive, Scope, Send
from things.rig import FakeDatabase, Keys, assert_problem, client_of

from bellwether_kit.clock import FixedClock
from bellwether_kit.http import EXPORTABLE, Call, Page, PageRequest, page_or_export, requires, router
from bellwether_kit.http.exports import AT_ONCE, ROWS
from bellwether_kit.testing import eventually
from bellwether_kit.testing.serving import serving

MakeApp = Callable[..., FastAPI]
LINES = {"Accept": "application/x-ndjson"}
AWAY = OperationalError("SELECT secret", {}, Exception("no route to db.internal"))


class Numbers(FakeDatabase):
    """A list of numbers, ``width`` makes them long; a read takes ``pause`` seconds and fails at ``breaks_at``."""

    count = 3 * ROWS
    width = 0
    pause = 0.0
    breaks_at: int | None = None
    reads = 0
    held = 0

    @asynccontextmanager
    async def read(self, tenant: str) -> AsyncIterator[Any]:
        async with super().read(tenant) as session:
            self.held += 1
            try:
                yield session
            finally:
                self.held -= 1

    async def after(self, place: Sequence[Any] | None, limit: int) -> Sequence[int]:
        first = place[0] + 1 if place else 0
        self.reads += 1
        await asyncio.sleep(self.pause)
        if first == self.breaks_at:
            raise AWAY
        return range(first, min(self.count, first + limit))


@pytest.fixture
def numbers(clock: FixedClock) -> Numbers:
    return Numbers(clock)


@pytest.fixture
def app(make_app: MakeApp, numbers: Numbers) -> FastAPI:
    routes = router()

    @routes.get("/numbers", operation_id="list-numbers", response_model=Page[dict[str, Any]], responses=EXPORTABLE)
    async def find(call: Annotated[Call, Depends(requires("things:read"))], page: PageRequest) -> Page[Any] | Response:
        return await page_or_export(
            call,
            page,
            lambda _, after, limit: numbers.after(after, limit),
            key=lambda n: [n],
            item=lambda n: {"n": n, "text": "é" * numbers.width},
        )

    return make_app(database=numbers, routers=[routes], body_timeout=0.5)


@pytest.fixture
async def client(app: FastAPI, keys: Keys) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(app, keys.token()) as made:
        yield made


@pytest.fixture
async def served(app: FastAPI, keys: Keys) -> AsyncIterator[tuple[uvicorn.Server, httpx.AsyncClient]]:
    """The server, and a client of it with a connection that can break."""
    headers = {"Authorization": f"Bearer {keys.token()}"} | LINES
    async with (
        serving(app) as (server, url),
        httpx.AsyncClient(base_url=url, headers=headers) as made,
    ):
        yield server, made


@pytest.fixture
def wire(served: tuple[uvicorn.Server, httpx.AsyncClient]) -> httpx.AsyncClient:
    return served[1]


async def cut(answer: httpx.Response, seen: Callable[[], object] = bool) -> bytes:
    """The body of an answer that must not end well; ``seen`` is said after every chunk."""
    body = bytearray()

    async def read() -> None:
        async for chunk in answer.aiter_bytes():
            body.extend(chunk)
            seen()

    with pytest.raises(httpx.RemoteProtocolError, match="incomplete chunked read"):
        await read()
    return bytes(body)


def numbers_in(body: str) -> list[int]:
    assert body == "" or body.endswith("\n")
    return [json.loads(line)["n"] for line in body.splitlines()]


@pytest.mark.parametrize("count", [0, 1, ROWS - 1, ROWS, ROWS + 1, 3 * ROWS])
async def test_an_export_has_every_item_in_order(client: httpx.AsyncClient, numbers: Numbers, count: int) -> None:
    numbers.count = count
    answer = await client.get("/v1/numbers", headers=LINES)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-ndjson")
    assert numbers_in(answer.text) == list(range(count))
    assert numbers.reads == count // ROWS + 1


async def test_a_line_is_what_an_item_of_the_page_is(client: httpx.AsyncClient, numbers: Numbers) -> None:
    numbers.count, numbers.width = 3, 2
    page = (await client.get("/v1/numbers")).json()
    lines = (await client.get("/v1/numbers", headers=LINES)).text.splitlines()
    assert [json.loads(line) for line in lines] == page["items"] == [{"n": n, "text": "éé"} for n in range(3)]


@pytest.mark.parametrize(
    ("accept", "lines"),
    [
        ("application/x-ndjson", True),
        ("application/ndjson", True),
        ("Application/X-NDJSON; q=0.9, */*;q=0.1", True),
        ("application/x-ndjson, application/json", True),
        ("application/x-ndjson, application/problem+json", True),
        ("application/json; q=0.5, application/x-ndjson", True),
        ("application/json, application/x-ndjson", False),
        ("application/json, application/x-ndjson;q=0.9", False),
        ("application/x-ndjson;q=0", False),
        ("application/x-ndjson;q=much", False),
        ("application/*", False),
        ("*/*", False),
        ("", False),
        (",;,", False),
    ],
)
async def test_who_prefers_lines_gets_lines(client: httpx.AsyncClient, accept: str, *, lines: bool) -> None:
    answer = await client.get("/v1/numbers", headers={"Accept": accept})
    kind = "application/x-ndjson" if lines else "application/json"
    assert (answer.status_code, answer.headers["content-type"]) == (200, kind)


@pytest.mark.parametrize("name", ["limit", "cursor"])
async def test_an_export_of_a_page_is_refused(client: httpx.AsyncClient, name: str) -> None:
    given = {"limit": "2", "cursor": (await client.get("/v1/numbers?limit=2")).json()["next_cursor"]}
    body = assert_problem(
        await client.get("/v1/numbers", params={name: given[name]}, headers=LINES), 422, "validation-failed"
    )
    assert [error["pointer"] for error in body["errors"]] == [f"/{name}"]  # type: ignore[attr-defined]


async def test_what_is_wrong_before_the_first_line_is_a_problem(
    client: httpx.AsyncClient, numbers: Numbers, app: FastAPI, keys: Keys
) -> None:
    numbers.breaks_at = 0
    assert_problem(await client.get("/v1/numbers", headers=LINES), 503, "database-unavailable")
    assert_problem(await client.get("/v1/numbers?band=x", headers=LINES), 422, "validation-failed")
    async with client_of(app, keys.token(scope="things:write")) as other, client_of(app) as nobody:
        assert_problem(await other.get("/v1/numbers", headers=LINES), 403, "missing-scope")
        assert_problem(await nobody.get("/v1/numbers", headers=LINES), 401, "missing-token")


async def test_an_export_that_breaks_is_seen_to_be_not_whole(wire: httpx.AsyncClient, numbers: Numbers) -> None:
    numbers.breaks_at = 2 * ROWS
    async with wire.stream("GET", "/v1/numbers") as answer:
        assert answer.status_code == 200
        body = await cut(answer)
    assert numbers_in(body.decode()) == list(range(2 * ROWS))
    numbers.breaks_at = None
    assert numbers_in((await wire.get("/v1/numbers")).text) == list(range(3 * ROWS))


async def test_the_walk_ends_when_the_client_leaves(wire: httpx.AsyncClient, numbers: Numbers, app: FastAPI) -> None:
    numbers.count, numbers.width = 1_000 * ROWS, 2_000
    async with wire.stream("GET", "/v1/numbers") as answer:
        await anext(answer.aiter_bytes())
    await eventually(lambda: app.state.runtime.exports["acme"] == 0)
    assert (numbers.reads < 100, numbers.held) == (True, 0)


async def test_a_client_that_takes_nothing_is_cut_off(wire: httpx.AsyncClient, numbers: Numbers, app: FastAPI) -> None:
    numbers.count, numbers.width = 1_000 * ROWS, 2_000
    async with wire.stream("GET", "/v1/numbers") as answer:
        await eventually(lambda: app.state.runtime.exports["acme"] == 0)
        assert numbers.reads < 100
        await cut(answer)


async def test_no_connection_is_held_while_something_is_sent(numbers: Numbers, app: FastAPI, keys: Keys) -> None:
    held = []

    async def watched(scope: Scope, receive: Receive, send: Send) -> None:
        async def sent(message: Message) -> None:
            held.append(numbers.held)
            await send(message)

        await app(scope, receive, sent)

    async with client_of(watched, keys.token()) as client:
        await client.get("/v1/numbers", headers=LINES)
    assert held == [0] * 6  # the beginning, four reads, the end


async def test_a_tenant_has_so_many_exports_in_hand_and_no_more(
    client: httpx.AsyncClient, app: FastAPI, keys: Keys
) -> None:
    app.state.runtime.exports["acme"] = AT_ONCE
    answer = await client.get("/v1/numbers", headers=LINES)
    assert_problem(answer, 429, "too-many-exports")
    assert answer.headers["retry-after"] == "10"
    assert (await client.get("/v1/numbers")).status_code == 200
    async with client_of(app, keys.token(tenant="globex")) as other:
        assert (await other.get("/v1/numbers", headers=LINES)).status_code == 200
    app.state.runtime.exports["acme"] = AT_ONCE - 1
    assert (await client.get("/v1/numbers", headers=LINES)).status_code == 200
    assert app.state.runtime.exports == {"acme": AT_ONCE - 1, "globex": 0}


async def test_a_process_that_stops_cuts_what_does_not_end(
    served: tuple[uvicorn.Server, httpx.AsyncClient], numbers: Numbers
) -> None:
    server, wire = served
    numbers.count = 1_000_000 * ROWS
    async with wire.stream("GET", "/v1/numbers") as answer:
        await cut(answer, lambda: setattr(server, "should_exit", True))
    assert numbers.held == 0


async def test_how_long_an_export_takes_does_not_make_its_list_slow(
    client: httpx.AsyncClient, numbers: Numbers, app: FastAPI
) -> None:
    numbers.pause = 0.2
    started = time.perf_counter()
    await client.get("/v1/numbers", headers=LINES)
    whole = time.perf_counter() - started
    counted = app.state.registry.get_sample_value("http_request_seconds_sum", {"method": "GET", "route": "/v1/numbers"})
    assert counted <= whole - 3 * numbers.pause  # the first of the four reads is part of what is waited for
    assert counted >= numbers.pause


def test_both_media_types_are_documented(app: FastAPI) -> None:
    content = app.openapi()["paths"]["/v1/numbers"]["get"]["responses"]["200"]["content"]
    assert content.keys() == {"application/json", "application/x-ndjson"}
    assert content["application/json"]["schema"]["$ref"].startswith("#/components/schemas/Page")
