"""What every answer carries, and what is refused before work begins."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import structlog
from fastapi import FastAPI
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from things.rig import FakeDatabase, Keys, assert_problem, client_of

from bellwether_kit import telemetry
from bellwether_kit.http import gate

MakeApp = Callable[..., FastAPI]
PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


async def test_a_request_keeps_its_id_and_its_trace(client: httpx.AsyncClient) -> None:
    response = await client.get("/v1/whoami", headers={"X-Request-Id": "crm-42", "traceparent": PARENT})
    assert response.headers["x-request-id"] == "crm-42"
    version, trace, span, flags = response.headers["traceparent"].split("-")
    assert (version, trace, flags) == ("00", "4bf92f3577b34da6a3ce929d0e0e4736", "01")
    assert span != "00f067aa0ba902b7"
    assert telemetry.correlation.get() is None
    assert telemetry.traceparent.get() is None
    assert telemetry.tenant.get() is None


@pytest.mark.parametrize("bad", ["", "a b", "x" * 129, 'a"b', "a\tb"])
async def test_an_id_that_is_not_safe_in_a_log_is_replaced(client: httpx.AsyncClient, bad: str) -> None:
    response = await client.get("/v1/whoami", headers={"X-Request-Id": bad, "traceparent": bad})
    assert len(response.headers["x-request-id"]) == 32
    assert len(response.headers["traceparent"]) == 55


async def test_every_answer_has_the_security_headers(client: httpx.AsyncClient) -> None:
    for address in ("/v1/whoami", "/v1/nowhere"):
        headers = (await client.get(address)).headers
        assert tuple(headers[name] for name in ("x-content-type-options", "x-frame-options", "cache-control")) == (
            "nosniff",
            "DENY",
            "no-store",
        )
    assert "content-security-policy" not in (await client.get("/docs")).headers


async def test_too_much_at_once_is_refused_before_any_work(make_app: MakeApp, keys: Keys, fake: FakeDatabase) -> None:
    entered, leave = asyncio.Event(), asyncio.Event()

    async def slow_body() -> Any:
        entered.set()
        await leave.wait()
        yield b'{"name": "slow"}'

    async with client_of(make_app(concurrency_limit=1), keys.token()) as client:
        headers = {"Content-Type": "application/json"}
        first = asyncio.create_task(client.post("/v1/things", content=slow_body(), headers=headers))
        await entered.wait()
        response = await client.get("/v1/whoami")
        assert_problem(response, 503, "overloaded")
        assert response.headers["retry-after"] == "1"
        assert (await client.get("/health/live")).status_code == 200
        leave.set()
        assert (await first).status_code == 201
        assert (await client.get("/v1/whoami")).status_code == 200
    assert fake.committed == ["acme:slow"]


async def test_writes_are_shed_while_the_outbox_is_too_old_and_reads_are_not(
    client: httpx.AsyncClient, fake: FakeDatabase
) -> None:
    fake.backlog = 901.0
    response = await client.post("/v1/things", json={"name": "a"})
    assert_problem(response, 503, "outbox-backlog")
    assert response.headers["retry-after"] == "30"
    assert (await client.get("/v1/whoami")).status_code == 200
    fake.backlog = 899.0
    assert (await client.post("/v1/things", json={"name": "a"})).status_code == 201


async def test_one_look_at_the_outbox_is_believed_for_a_while(
    make_app: MakeApp, keys: Keys, fake: FakeDatabase
) -> None:
    async with client_of(make_app(backlog_check_seconds=60), keys.token()) as client:
        assert (await client.post("/v1/things", json={"name": "a"})).status_code == 201
        fake.backlog = 901.0
        assert (await client.post("/v1/things", json={"name": "a"})).status_code == 201


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OperationalError("SELECT secret", {}, Exception("no route to db.internal")), "database-unavailable"),
        (PoolExhausted("QueuePool limit of size 10 reached"), "overloaded"),
    ],
)
async def test_a_database_that_is_away_is_503_and_stays_unnamed(
    client: httpx.AsyncClient, fake: FakeDatabase, error: Exception, code: str
) -> None:
    fake.broken = error
    response = await client.post("/v1/things", json={"name": "a"})
    assert_problem(response, 503, code)
    assert response.headers["retry-after"] == "1"
    assert not {"secret", "db.internal", "QueuePool"} & set(response.text.split())


async def test_one_line_is_logged_per_request_with_what_ties_it_together(
    make_app: MakeApp, keys: Keys, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # A logger keeps the name that the service had when it first spoke, which may have been in another test.
    monkeypatch.setattr(gate, "_log", structlog.get_logger("bellwether.http"))
    app = make_app()
    async with app.router.lifespan_context(app), client_of(app, keys.token()) as client:
        await client.get("/v1/things?band=secret", headers={"X-Request-Id": "crm-42", "traceparent": PARENT})
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (line,) = [line for line in lines if line["event"] == "request"]
    assert ("things-svc", "acme", "crm-42", PARENT[3:35], "GET", "/v1/things", "/v1/things", 200) == tuple(
        line[name] for name in ("service", "tenant", "correlation_id", "trace_id", "method", "path", "route", "status")
    )
    assert "secret" not in json.dumps(line)


async def test_metrics_count_by_route_template_and_status(client: httpx.AsyncClient) -> None:
    await client.get("/v1/things/4f4c8f3e-9f3b-4f5e-8f59-1f3c6c1b2f11")
    await client.get("/v1/nowhere-1")
    await client.request("BREW", "/v1/whoami")
    text = (await client.get("/metrics")).text
    assert 'http_requests_total{method="GET",route="/v1/things/{thing_id}",status="404"} 1.0' in text
    assert 'http_requests_total{method="GET",route="unmatched",status="404"} 1.0' in text
    assert 'http_requests_total{method="OTHER",route="/v1/whoami",status="405"} 1.0' in text
    assert 'http_request_seconds_count{method="GET",route="/v1/things/{thing_id}"} 1.0' in text
    assert "http_requests_in_flight 0.0" in text


async def test_browsers_of_the_configured_origins_may_ask_and_read(make_app: MakeApp, keys: Keys) -> None:
    asked = {"Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "authorization,if-match"}
    async with client_of(make_app(cors_origins="https://app.example, https://b.example"), keys.token()) as client:
        preflight = await client.options("/v1/whoami", headers={"Origin": "https://app.example", **asked})
        assert preflight.status_code == 204
        assert preflight.headers["access-control-allow-origin"] == "https://app.example"
        assert "PATCH" in preflight.headers["access-control-allow-methods"]
        assert preflight.headers["access-control-allow-headers"] == "authorization,if-match"
        answer = await client.get("/v1/whoami", headers={"Origin": "https://b.example"})
        assert answer.headers["access-control-allow-origin"] == "https://b.example"
        assert "ETag" in answer.headers["access-control-expose-headers"]
        for stranger in ("https://evil.example", "null"):
            for answer in (
                await client.get("/v1/whoami", headers={"Origin": stranger}),
                await client.options("/v1/whoami", headers={"Origin": stranger, **asked}),
            ):
                assert "access-control-allow-origin" not in answer.headers
                assert answer.headers["vary"] == "Origin"


async def test_without_origins_no_browser_is_told_anything(client: httpx.AsyncClient) -> None:
    headers = (await client.get("/v1/whoami", headers={"Origin": "https://app.example"})).headers
    assert not [name for name in headers if name.startswith("access-control")]
