"""The tiny service in-process, on a database that is none."""

import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from fastapi import FastAPI
from things.rig import AUDIENCE, ISSUER, FakeDatabase, Keys, client_of, public_jwk
from things.service import ERRORS, routes

from bellwether_kit.clock import FixedClock
from bellwether_kit.http import build_api
from bellwether_kit.settings import ServiceSettings

MakeApp = Callable[..., FastAPI]


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    private = ec.generate_private_key(ec.SECP256R1())
    path = tmp_path_factory.mktemp("keys") / "jwks.json"
    path.write_text(json.dumps({"keys": [public_jwk(private, "k1")]}))
    return Keys(private, path)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 3, 2, 9, tzinfo=UTC))


@pytest.fixture
def fake(clock: FixedClock) -> FakeDatabase:
    return FakeDatabase(clock)


@pytest.fixture
def make_app(keys: Keys, fake: FakeDatabase, clock: FixedClock) -> MakeApp:
    def make(**given: Any) -> FastAPI:
        defaults: dict[str, Any] = {
            "jwks": str(keys.path),
            "jwt_issuer": ISSUER,
            "jwt_audience": AUDIENCE,
            "backlog_check_seconds": 0,
        }
        database, routers = given.pop("database", fake), given.pop("routers", [routes])
        return build_api(
            service="things-svc",
            title="Things",
            description="For tests.",
            settings=ServiceSettings(**(defaults | given)),
            routers=routers,
            errors=ERRORS,
            clock=clock,
            database=database,
        )

    return make


@pytest.fixture
async def client(make_app: MakeApp, keys: Keys) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(make_app(), keys.token()) as made:
        yield made
