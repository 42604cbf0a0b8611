"""What tests of channels need: settings with a key to seal with, receivers on this machine, and an administrator."""

import asyncio
import email
import json
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

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
    """A web server on this machine that answers each request with the next of ``answers``, then 204; 0 is never."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.answers: list[int] = []
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
        status = self.answers.pop(0) if self.answers else 204
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
