"""What tests of channels need: a key to seal secrets with, receivers, an administrator; and those of backtests."""

import asyncio
import email
import json
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import policy
from email.message import EmailMessage
from random import Random
from typing import Any
from uuid import UUID

import httpx
import pytest
from pydantic import SecretStr

from bellwether_kit.ids import uuid7

SEALING_KEY = "dGVzdC1vbmx5LXRlc3Qtb25seS10ZXN0LW9ubHktMTI="


@pytest.fixture
def mail_port() -> int:
    """A port at which nothing listens, until a test starts the mail server there."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def settings_as(settings_as: Callable[..., Any], mail_port: int) -> Callable[..., Any]:
    """``settings_as("api")`` with what channels need besides."""
    own = {
        "secret_keys": SecretStr(SEALING_KEY),
        "private_channels": True,
        "mail_server": f"smtp://127.0.0.1:{mail_port}",
        "delivery_timeout": 3.0,
        "streams_per_tenant": 2,
    }
    return lambda role, **more: settings_as(role, **(own | more))


@dataclass
class Heard:
    """A request that a receiver was sent."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Receiver:
    """A web server on this machine. Answers the next of ``answers``, else that of the path, else 204; 0 is never."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.answers: list[int] = []
        self.answers_at: dict[str, int] = {}
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
        except asyncio.IncompleteReadError:
            writer.close()
            return  # the caller went away without a word
        first, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        body = await reader.readexactly(int(headers["content-length"]))
        self.heard.append(Heard(first.split()[1], headers, body))
        status = self.answers.pop(0) if self.answers else self.answers_at.get(self.heard[-1].path, 204)
        if status:
            writer.write(f"HTTP/1.1 {status} Said\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
            await writer.drain()
        else:
            await reader.read()  # until the caller has given up
        writer.close()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A web server that channels may lead to."""
    made = Receiver()
    server = await asyncio.start_server(made.handle, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()


class MailServer:
    """An SMTP server on this machine that keeps what it is handed."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.envelopes: list[list[str]] = []

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        recipients: list[str] = []
        writer.write(b"220 here\r\n")
        while line := (await reader.readline()).decode().strip():
            verb = line[:4].upper()
            if verb == "RCPT":
                recipients.append(line.partition("<")[2].partition(">")[0])
            if verb == "DATA":
                writer.write(b"354 go on\r\n")
                self.mails.append(email.message_from_bytes(await self._data(reader), policy=policy.default))
                self.envelopes.append(recipients)
            writer.write(b"221 bye\r\n" if verb == "QUIT" else b"250 ok\r\n")
        writer.close()

    async def _data(self, reader: asyncio.StreamReader) -> bytes:
        return (await reader.readuntil(b"\r\n.\r\n")).removesuffix(b".\r\n")


@pytest.fixture
async def mail_server(mail_port: int) -> AsyncIterator[MailServer]:
    """A mail server that the settings name."""
    made = MailServer()
    server = await asyncio.start_server(made.handle, "127.0.0.1", mail_port)
    yield made
    server.close()


class Desk:
    """An administrator who makes channels and routes, and sees what was sent."""

    def __init__(self, client: httpx.AsyncClient, headers: dict[str, str]) -> None:
        self.client, self.headers = client, headers

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        return await self.client.request(method, f"/v1{path}", json=body, headers=self.headers | headers)

    async def channel(self, kind: str, **given: Any) -> dict[str, Any]:
        answer = await self.ask("POST", "/channels", {"name": kind, "kind": kind, "reason": "tests", **given})
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def route(self, *channels: str, **given: Any) -> dict[str, Any]:
        body = {"name": "all", "channels": channels, "reason": "tests", **given}
        answer = await self.ask("POST", "/notification-routes", body)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def deliveries(self, **query: str) -> list[dict[str, Any]]:
        answer = await self.client.get("/v1/deliveries", params=query, headers=self.headers)
        assert answer.status_code == 200, answer.text
        return list(reversed(answer.json()["items"]))


@pytest.fixture
def desk(client: httpx.AsyncClient, auth: Callable[..., dict[str, str]]) -> Desk:
    """An administrator of acme."""
    return Desk(client, auth("alerts:admin"))


class Scorecards:
    """An administrator of scorecards."""

    def __init__(self, client: httpx.AsyncClient, auth: Callable[..., dict[str, str]]) -> None:
        self.client, self.auth = client, auth

    async def ask(self, method: str, path: str, body: Any = None, *, tenant: str = "acme", **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.request(
            method, f"/v1{path}", json=body, headers=self.auth("health:admin", tenant=tenant) | named
        )

    async def draft(self, name: str = "default", **said: Any) -> dict[str, Any]:
        answer = await self.ask("POST", "/scorecards", {"name": name, **said})
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def publish(self, draft: dict[str, Any]) -> dict[str, Any]:
        answer = await self.ask("POST", f"/scorecards/{draft['id']}/publish", {"reason": "tests"})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


@pytest.fixture
def scorecards(client: httpx.AsyncClient, auth: Callable[..., dict[str, str]]) -> Scorecards:
    return Scorecards(client, auth)


@pytest.fixture
async def clients(world: Any) -> dict[UUID, list[datetime]]:
    """When seventy clients ordered, by account: at a pace of their own until they leave, which half of them do."""
    random, orders, said = Random(4), {}, []
    for _ in range(70):
        account, pace = uuid7(), random.uniform(5, 40)
        leaves = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=random.uniform(60, 700))
        at, times = datetime(2024, 10, 1, tzinfo=UTC), []
        while (at := at + timedelta(days=random.expovariate(1 / pace))) < min(leaves, world.clock.now()):
            times.append(at)
        orders[account] = times
        said += [world.evidence("order-placed", account_id=account, observed_at=at) for at in times]
    for start in range(0, len(said), 500):
        await world.tell(*said[start : start + 500])
    await world.mailbox.fire_timers()
    return orders


@pytest.fixture
def ask(client: httpx.AsyncClient, auth: Callable[..., dict[str, str]]) -> Callable[..., Any]:
    """Ask for a backtest by orders at five dates, or as given."""

    async def asked(tenant: str = "acme", **given: Any) -> httpx.Response:
        dates = [f"2025-{month:02}-01" for month in (3, 5, 7, 9, 11)]
        body = {"dates": dates, "act": "order-placed", "min_acts": 3, **given}
        return await client.post("/v1/backtests", json=body, headers=auth("health:admin", tenant=tenant))

    return asked


@pytest.fixture
def done(world: Any, ask: Any) -> Callable[..., Any]:
    """Ask for a backtest, let the worker work, and give what came of it."""

    async def did(**given: Any) -> dict[str, Any]:
        answer = await ask(**given)
        assert answer.status_code == 202, answer.text
        await world.mailbox.fire_timers()
        return dict((await world.get(f"/backtests/{answer.json()['id']}")).json())

    return did
