"""Liveness asks nobody; readiness asks our own database and outbox."""

import os
import signal
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.exc import OperationalError
from things.rig import FakeDatabase, client_of

MakeApp = Callable[..., FastAPI]


async def test_a_process_that_turns_is_alive_whatever_its_database_does(
    client: httpx.AsyncClient, fake: FakeDatabase
) -> None:
    fake.broken = OSError("away")
    assert (await client.get("/health/live")).json() == {"status": "live"}


async def test_a_process_with_its_database_is_ready(client: httpx.AsyncClient) -> None:
    answer = (await client.get("/health/ready")).json()
    assert answer == {"status": "ready", "checks": {"database": "ok", "outbox": "ok"}}


@pytest.mark.parametrize("error", [OSError("away"), TimeoutError(), OperationalError("SELECT 1", {}, Exception())])
async def test_a_process_without_its_database_is_not(
    client: httpx.AsyncClient, fake: FakeDatabase, error: Exception
) -> None:
    fake.broken = error
    response = await client.get("/health/ready")
    assert response.status_code == 503
    assert response.json()["code"] == "not-ready"
    assert f"no answer ({type(error).__name__})" == response.json()["checks"]["database"]


async def test_a_process_whose_events_do_not_leave_is_not_ready(client: httpx.AsyncClient, fake: FakeDatabase) -> None:
    fake.backlog = 901.0
    assert (await client.get("/health/ready")).json()["checks"]["outbox"] == "too old"


async def test_readiness_goes_off_when_sigterm_arrives_and_the_server_hears_of_it_too(
    make_app: MakeApp, fake: FakeDatabase
) -> None:
    heard: list[int] = []

    def server(number: int, frame: Any) -> None:
        heard.append(number)

    before = signal.signal(signal.SIGTERM, server)
    try:
        app = make_app()
        async with app.router.lifespan_context(app), client_of(app) as client:
            assert fake.opened
            assert (await client.get("/health/ready")).status_code == 200
            os.kill(os.getpid(), signal.SIGTERM)
            response = await client.get("/health/ready")
            assert response.json()["checks"] == {"process": "stopping"}
            assert (await client.get("/health/live")).status_code == 200
        assert not fake.opened
        assert server is signal.getsignal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert heard == [signal.SIGTERM]


async def test_a_wrong_method_on_a_health_route_is_a_problem(client: httpx.AsyncClient) -> None:
    response = await client.post("/health/live")
    assert (response.status_code, response.json()["code"]) == (405, "method-not-allowed")
