"""What the tests hold the tiny service with: keys, a database that is none, a client, and what a problem is."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm
from starlette.types import ASGIApp

from bellwether_kit.clock import FixedClock

ISSUER, AUDIENCE = "test-issuer", "test-audience"

BASE = {"type", "title", "status", "detail", "instance", "code", "trace_id"}


def assert_problem(response: httpx.Response, status: int, code: str) -> dict[str, object]:
    assert status == response.status_code, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, object] = response.json()
    assert body.keys() >= BASE
    assert code == body["code"]
    assert status == body["status"]
    assert f"urn:bellwether:problem:{code}" == body["type"]
    assert body["trace_id"] == response.headers["traceparent"].split("-")[1]
    return body


@dataclass
class Keys:
    """A private key, and the file that publishes its public half."""

    private: ec.EllipticCurvePrivateKey
    path: Path

    def token(self, *, kid: str = "k1", alg: str = "ES256", key: Any = None, **claims: Any) -> str:
        now = int(time.time())
        full = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": "ana",
            "tenant": "acme",
            "scope": "things:read things:write",
            "iat": now,
            "exp": now + 300,
        } | claims
        given = {name: value for name, value in full.items() if value is not None}
        return jwt.encode(given, key or self.private, algorithm=alg, headers={"kid": kid})


def public_jwk(key: ec.EllipticCurvePrivateKey, kid: str) -> dict[str, Any]:
    return {**ECAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid, "use": "sig", "alg": "ES256"}


@dataclass
class FakeDatabase:
    """Stands for bellwether_kit.db.Database where no row matters."""

    clock: FixedClock
    backlog: float = 0.0
    broken: Exception | None = None
    committed: list[str] = field(default_factory=list)
    opened: bool = False

    async def open(self) -> None:
        self.opened = True

    async def close(self) -> None:
        self.opened = False

    async def ping(self) -> None:
        if self.broken:
            raise self.broken

    async def oldest_unsent_seconds(self) -> float:
        return self.backlog

    @asynccontextmanager
    async def unit_of_work(self, tenant: str) -> AsyncIterator[Any]:
        if self.broken:
            raise self.broken
        done: list[str] = []
        yield SimpleNamespace(now=self.clock.now(), done=done)
        self.committed += [f"{tenant}:{name}" for name in done]

    @asynccontextmanager
    async def read(self, tenant: str) -> AsyncIterator[Any]:
        if self.broken:
            raise self.broken
        yield SimpleNamespace(tenant=tenant)


def client_of(app: ASGIApp, token: str | None = None) -> httpx.AsyncClient:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://things.test", headers=headers)
