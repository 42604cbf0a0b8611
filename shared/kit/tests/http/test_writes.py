"""Writes on real PostgreSQL: one transaction, once per key, and what happens when the database says no."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import Depends, FastAPI, Response
from sqlalchemy import text
from starlette.requests import Request
from things.rig import assert_problem
from things.service import ERRORS, ThingTaken

from bellwether_kit.clock import FixedClock
from bellwether_kit.db import UnitOfWork
from bellwether_kit.http import Answer, Call, RequestModel, build_api, requires, router
from bellwether_kit.http.idempotency import KEPT
from bellwether_kit.settings import ServiceSettings
from bellwether_kit.testing.service import Mailbox

SettingsAs = Callable[..., ServiceSettings]
Auth = Callable[..., dict[str, str]]
Writer = Annotated[Call, Depends(requires("things:write"))]


class Weight(RequestModel):
    total: int


class Script:
    """What the write does besides its row; each test says."""

    def __init__(self) -> None:
        self.runs = 0
        self.before: Callable[[UnitOfWork], Any] | None = None

    async def run(self, uow: UnitOfWork) -> None:
        self.runs += 1
        if self.before is not None:
            await self.before(uow)


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def make_api(settings_as: SettingsAs, clock: FixedClock, script: Script) -> Callable[..., FastAPI]:
    def make(**more: Any) -> FastAPI:
        r = router()

        @r.post("/things/{thing_id}/weights", status_code=201, operation_id="weigh-thing")
        @r.post("/things/{thing_id}/other-weights", status_code=201, operation_id="weigh-other-thing")
        async def weigh(thing_id: UUID, body: Weight, call: Writer) -> Response:
            async def work(uow: UnitOfWork) -> Answer:
                await script.run(uow)
                row = {"tenant": call.tenant, "id": uuid4(), "total": body.total}
                await uow.session.execute(
                    text("INSERT INTO thing (tenant, id, total) VALUES (:tenant, :id, :total)"), row
                )
                return Answer({"id": str(row["id"]), "run": script.runs}, 201, {"ETag": '"1"'})

            return await call.write(work)

        return build_api(
            service="sample-svc",
            title="Sample",
            description="x",
            settings=settings_as("api", **more),
            routers=[r],
            errors=ERRORS,
            clock=clock,
        )

    return make


@pytest.fixture
async def api(make_api: Callable[..., FastAPI], auth: Auth) -> AsyncIterator[httpx.AsyncClient]:
    app = make_api()
    async with app.router.lifespan_context(app), client_of(app, auth) as client:
        yield client


def client_of(app: FastAPI, auth: Auth, tenant: str = "acme") -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://test", headers=auth("things:write", tenant=tenant)
    )


ADDRESS = f"/v1/things/{UUID(int=1)}/weights"


async def weigh(api: httpx.AsyncClient, key: str | None, *, address: str = ADDRESS, total: int = 5) -> httpx.Response:
    headers = {} if key is None else {"Idempotency-Key": key}
    return await api.post(address, json={"total": total}, headers=headers)


def weights(mailbox: Mailbox) -> list[tuple[str, int]]:
    return [(row.tenant, row.total) for row in mailbox.admin("SELECT tenant, total FROM thing ORDER BY tenant, total")]


async def test_without_a_key_every_post_counts(api: httpx.AsyncClient, mailbox: Mailbox) -> None:
    for _ in range(2):
        assert (await weigh(api, None)).status_code == 201
    assert weights(mailbox) == [("acme", 5), ("acme", 5)]


async def test_a_repeat_gets_the_stored_answer_and_changes_nothing(api: httpx.AsyncClient, mailbox: Mailbox) -> None:
    first, second = await weigh(api, "k-1"), await weigh(api, "k-1")
    assert (201, first.content) == (second.status_code, second.content)
    for name in ("etag", "content-type", "content-length"):
        assert first.headers[name] == second.headers[name]
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    assert first.headers["x-request-id"] != second.headers["x-request-id"]
    assert weights(mailbox) == [("acme", 5)]


async def test_a_key_is_good_for_one_request_only(api: httpx.AsyncClient, mailbox: Mailbox) -> None:
    await weigh(api, "k-1")
    other = f"/v1/things/{UUID(int=2)}/weights"
    for response in (await weigh(api, "k-1", total=6), await weigh(api, "k-1", address=other)):
        assert_problem(response, 422, "idempotency-key-reused")
    assert weights(mailbox) == [("acme", 5)]


async def test_another_tenant_and_another_route_have_keys_of_their_own(
    api: httpx.AsyncClient, make_api: Callable[..., FastAPI], auth: Auth, mailbox: Mailbox
) -> None:
    await weigh(api, "k-1")
    assert (await weigh(api, "k-1", address=ADDRESS.replace("weights", "other-weights"))).status_code == 201
    app = make_api()
    async with app.router.lifespan_context(app), client_of(app, auth, "umbrella") as neighbour:
        response = await weigh(neighbour, "k-1")
    assert "idempotency-replayed" not in response.headers
    assert weights(mailbox) == [("acme", 5), ("acme", 5), ("umbrella", 5)]


async def test_of_two_at_once_one_works_and_the_other_is_told_to_wait(
    api: httpx.AsyncClient, script: Script, mailbox: Mailbox
) -> None:
    working, go_on = asyncio.Event(), asyncio.Event()

    async def wait(uow: UnitOfWork) -> None:
        working.set()
        await go_on.wait()

    script.before = wait
    first = asyncio.create_task(weigh(api, "k-1"))
    await working.wait()
    second = await weigh(api, "k-1")
    assert_problem(second, 409, "request-in-flight")
    assert second.headers["retry-after"] == "1"
    go_on.set()
    assert (await first).status_code == 201
    assert (await weigh(api, "k-1")).headers["idempotency-replayed"] == "true"
    assert weights(mailbox) == [("acme", 5)]


async def test_a_problem_is_not_kept_and_leaves_nothing(
    api: httpx.AsyncClient, script: Script, mailbox: Mailbox
) -> None:
    async def refuse(uow: UnitOfWork) -> None:
        await uow.session.execute(text(f"INSERT INTO thing (tenant, id, total) VALUES ('acme', '{uuid4()}', 99)"))
        raise ThingTaken("Taken.")

    script.before = refuse
    assert_problem(await weigh(api, "k-1"), 409, "thing-taken")
    script.before = None
    response = await weigh(api, "k-1")
    assert (response.status_code, response.headers.get("idempotency-replayed")) == (201, None)
    assert weights(mailbox) == [("acme", 5)]


async def test_a_key_is_forgotten_after_72_hours(api: httpx.AsyncClient, clock: FixedClock, mailbox: Mailbox) -> None:
    await weigh(api, "k-1")
    clock.advance(KEPT)
    assert (await weigh(api, "k-1", total=6)).status_code == 201
    assert (await weigh(api, "k-1", total=6)).headers["idempotency-replayed"] == "true"
    assert weights(mailbox) == [("acme", 5), ("acme", 6)]


@pytest.mark.parametrize("key", ["", "a b", "é".encode().decode("latin-1"), "x" * 256])
async def test_a_key_we_cannot_keep_is_refused(api: httpx.AsyncClient, key: str, mailbox: Mailbox) -> None:
    response = await api.post(ADDRESS, json={"total": 5}, headers=[(b"Idempotency-Key", key.encode("latin-1"))])
    assert_problem(response, 400, "invalid-idempotency-key")
    assert weights(mailbox) == []


@pytest.mark.parametrize("sqlstate", ["40001", "40P01"])
async def test_a_serialization_failure_or_deadlock_is_tried_again(
    api: httpx.AsyncClient, script: Script, mailbox: Mailbox, sqlstate: str
) -> None:
    async def fail_twice(uow: UnitOfWork) -> None:
        if script.runs < 3:
            await uow.session.execute(text(f"DO $$ BEGIN RAISE SQLSTATE '{sqlstate}'; END $$"))

    script.before = fail_twice
    assert (await weigh(api, "k-1")).json()["run"] == 3
    assert weights(mailbox) == [("acme", 5)]


async def test_after_three_tries_the_caller_may_come_again(
    api: httpx.AsyncClient, script: Script, mailbox: Mailbox
) -> None:
    async def fail(uow: UnitOfWork) -> None:
        await uow.session.execute(text("DO $$ BEGIN RAISE SQLSTATE '40P01'; END $$"))

    script.before = fail
    assert_problem(await weigh(api, "k-1"), 503, "database-unavailable")
    assert (script.runs, weights(mailbox)) == (3, [])


async def test_a_statement_that_takes_too_long_is_503(
    make_api: Callable[..., FastAPI], auth: Auth, script: Script, mailbox: Mailbox
) -> None:
    async def dawdle(uow: UnitOfWork) -> None:
        await uow.session.execute(text("SELECT pg_sleep(30)"))

    script.before = dawdle
    app = make_api(statement_timeout_ms=50)
    async with app.router.lifespan_context(app), client_of(app, auth) as client:
        assert_problem(await weigh(client, "k-1"), 503, "database-unavailable")
    assert weights(mailbox) == []


async def test_a_pool_without_a_free_connection_is_503(
    make_api: Callable[..., FastAPI], auth: Auth, script: Script
) -> None:
    working, go_on = asyncio.Event(), asyncio.Event()

    async def wait(uow: UnitOfWork) -> None:
        working.set()
        await go_on.wait()

    script.before = wait
    app = make_api(pool_size=1, pool_timeout=0.05, backlog_check_seconds=60)
    async with app.router.lifespan_context(app), client_of(app, auth) as client:
        first = asyncio.create_task(weigh(client, None))
        await working.wait()
        assert_problem(await weigh(client, None), 503, "overloaded")
        go_on.set()
        assert (await first).status_code == 201


async def test_with_the_database_away_writes_are_503_and_the_process_is_not_ready(
    make_api: Callable[..., FastAPI], auth: Auth, unused_tcp_port: int
) -> None:
    app = make_api(database_url=f"postgresql://nobody@127.0.0.1:{unused_tcp_port}/nothing")
    async with app.router.lifespan_context(app), client_of(app, auth) as client:
        assert_problem(await weigh(client, "k-1"), 503, "database-unavailable")
        assert (await client.get("/health/ready")).status_code == 503
        assert (await client.get("/health/live")).status_code == 200


async def test_on_a_real_database_the_process_is_ready(api: httpx.AsyncClient) -> None:
    assert (await api.get("/health/ready")).json()["status"] == "ready"


async def test_a_turn_is_one_at_a_time_for_a_tenant_and_no_matter_of_others(make_api: Callable[..., FastAPI]) -> None:
    app, order = make_api(), []

    def call_of(tenant: str) -> Call:
        request = Request({"type": "http", "app": app, "headers": []})
        return Call(request=request, tenant=tenant, subject="ana", scopes=frozenset())

    async def work(tenant: str, number: int) -> None:
        async with call_of(tenant).turn("intake"):
            order.append((tenant, number, "begins"))
            await asyncio.sleep(0)
            order.append((tenant, number, "ends"))

    await asyncio.gather(*(work(tenant, number) for number in range(3) for tenant in ("acme", "globex")))
    mine = [(number, what) for tenant, number, what in order if tenant == "acme"]
    assert mine == [(number, what) for number in range(3) for what in ("begins", "ends")]
    assert order[:2] == [("acme", 0, "begins"), ("globex", 0, "begins")]
