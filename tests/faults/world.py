"""What is around a fault run: tenants with accounts, a receiver of alerts, and SQL from outside."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import httpx
import psycopg
from psycopg.rows import TupleRow

from bellwether.settle import settle
from bellwether.stack import Stack
from bellwether.stack.health import plain
from faults.load import CANARY, CONTACTS, TENANTS

LARGEST: Final = 500
"""Items that a route takes at once."""


def rows(stack: Stack, database: str, statement: str, *values: object) -> list[TupleRow]:
    """What a statement finds in a service's database, run as its superuser."""
    base = stack.layout.postgres_url.rpartition("/")[0]
    with psycopg.connect(f"{base}/{database}", autocommit=True) as connection:
        return connection.execute(statement, values or None).fetchall()


def settled_rules(stack: Stack, tenant: str) -> None:
    """Have replies due within seconds, so that expectations end while faults happen."""
    windows = {channel: {"seconds": 5} for channel in ("call", "email", "message")}
    body = {"windows": windows, "reason": "a fault run has no days to wait", "applies_from": "2020-01-01T00:00:00Z"}
    answer = _ask(stack, "PUT", "metrics", "derivation-rules", tenant, body)
    answer.raise_for_status()


def peopled(stack: Stack, accounts: int) -> None:
    """So many accounts of every tenant and a few people, known everywhere before the first fault."""
    for tenant in (*TENANTS, CANARY):
        settled_rules(stack, tenant)
        items = [
            {
                "external_ids": [{"source": "crm", "external_id": f"company-{n}"}],
                "name": f"{tenant} {n}",
                "tier": "ABC"[n % 3],
                "email_domains": [],
            }
            for n in range(accounts)
        ]
        made = []
        for start in range(0, accounts, LARGEST):
            made += asked(stack, "profile", "accounts", tenant, {"items": items[start : start + LARGEST]})["items"]
        people = [
            {
                "external_ids": [{"source": "crm", "external_id": f"contact-{n}"}],
                "account": {"id": made[0]["id"]},
                "name": f"Person {n}",
            }
            for n in range(CONTACTS)
        ]
        _ask(stack, "POST", "stakeholder", "stakeholders", tenant, {"items": people}).raise_for_status()
    settle(stack)


def watched(stack: Stack, url: str) -> None:
    """A webhook and a route that brings it every alert, for each tenant."""
    for tenant in TENANTS:
        body = {"name": "sink", "kind": "webhook", "url": url, "reason": "a fault run"}
        made = _ask(stack, "POST", "scoring", "channels", tenant, body).raise_for_status().json()
        route = {"name": "all", "channels": [made["id"]], "reason": "a fault run"}
        _ask(stack, "POST", "scoring", "notification-routes", tenant, route).raise_for_status()


def _ask(stack: Stack, method: str, service: str, route: str, tenant: str, body: object = None) -> httpx.Response:
    headers = {"Authorization": f"Bearer {stack.token(tenant)}"}
    return httpx.request(
        method, f"{stack.url(service)}/v1/{route}", json=body, headers=headers, timeout=60, verify=plain()
    )


def pages(stack: Stack, service: str, route: str, tenant: str) -> list[dict[str, Any]]:
    """The items of all pages of a list."""
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        sign = "&" if "?" in route else "?"
        page = _ask(stack, "GET", service, f"{route}{sign}limit=200{cursor}", tenant).raise_for_status().json()
        found += page["items"]
        if not page["next_cursor"]:
            return found
        cursor = f"&cursor={page['next_cursor']}"


def asked(stack: Stack, service: str, route: str, tenant: str, body: object) -> dict[str, Any]:
    """What a route answers to a body."""
    return dict(_ask(stack, "POST", service, route, tenant, body).raise_for_status().json())


class Outside(Protocol):
    """What anybody can see of services: rows of their databases, answers of their routes, pages of their lists."""

    def rows(self, database: str, statement: str, *values: object) -> list[TupleRow]:
        """What a statement finds in a service's database."""
        ...

    def asked(self, service: str, route: str, tenant: str, body: object) -> dict[str, Any]:
        """What a route answers to a body."""
        ...

    def pages(self, service: str, route: str, tenant: str) -> list[dict[str, Any]]:
        """The items of all pages of a list."""
        ...


@dataclass(frozen=True)
class Seen:
    """What is seen of a stack that runs."""

    stack: Stack

    def rows(self, database: str, statement: str, *values: object) -> list[TupleRow]:
        """See :func:`rows`."""
        return rows(self.stack, database, statement, *values)

    def asked(self, service: str, route: str, tenant: str, body: object) -> dict[str, Any]:
        """See :func:`asked`."""
        return asked(self.stack, service, route, tenant, body)

    def pages(self, service: str, route: str, tenant: str) -> list[dict[str, Any]]:
        """See :func:`pages`."""
        return pages(self.stack, service, route, tenant)


@dataclass
class Sink:
    """A receiver of webhooks: each message id, and what of which alert it told."""

    told: list[tuple[str, str, str]] = field(default_factory=list)
    _server: asyncio.Server | None = None

    async def open(self) -> str:
        """Listen on a free port; gives the address."""
        self._server = await asyncio.start_server(self._hear, "127.0.0.1", 0)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/hook"

    def close(self) -> None:
        """Hear no more."""
        if self._server is not None:
            self._server.close()

    async def _hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in head.split("\r\n")[1:])}
            body = json.loads(await reader.readexactly(int(headers["content-length"])))
            writer.write(b"HTTP/1.1 204 Heard\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
            said = body["data"]
            self.told.append((headers["webhook-id"], said["alert_id"], f"{body['type']} {said['episode']}"))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # a sender that dies in the middle of it has told nothing
        finally:
            writer.close()
