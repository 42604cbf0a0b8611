"""The pytest plugin of the kit. A service's conftest gives ``service``; the root conftest gives ``postgres``."""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from bellwether_kit.clock import FixedClock
from bellwether_kit.db.unit_of_work import Database
from bellwether_kit.settings import ServiceSettings
from bellwether_kit.testing.crashes import Crashes
from bellwether_kit.testing.databases import address, make_template, without_a_row
from bellwether_kit.testing.service import START, Mailbox, ServiceUnderTest
from bellwether_kit.testing.tokens import TokenMint

_templates: dict[tuple[str, str], str] = {}


@pytest.fixture(scope="session")
def mint(tmp_path_factory: pytest.TempPathFactory) -> TokenMint:
    """Signs this session's tokens."""
    return TokenMint(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def auth(mint: TokenMint) -> Callable[..., dict[str, str]]:
    """``auth("plans:write", tenant="acme")`` gives the headers of such a caller."""
    return lambda scopes, tenant="acme", **claims: {"Authorization": f"Bearer {mint.token(scopes, tenant, **claims)}"}


@pytest.fixture
def clock() -> FixedClock:
    """A clock that stands at 2026-03-02T09:00Z until it is moved."""
    return FixedClock(START)


@pytest.fixture
def database_name(postgres: str, service: ServiceUnderTest) -> Iterator[str]:
    """A fresh, migrated database of the service."""
    key = (postgres, service.name)
    if key not in _templates:
        _templates[key] = make_template(postgres, service.name, service.migrations)
    with without_a_row(postgres, _templates[key]) as name:
        yield name


@pytest.fixture
def settings_as(
    postgres: str, database_name: str, service: ServiceUnderTest, mint: TokenMint
) -> Callable[..., ServiceSettings]:
    """``settings_as("api")``: the service's settings for one of its roles on the test's database."""

    def made(role: str, **more: Any) -> ServiceSettings:
        values: dict[str, Any] = {
            "database_url": address(postgres, role=f"{service.name}_{role}", database=database_name),
            "pool_size": 5,
            "jwks": str(mint.jwks),
            "jwt_issuer": mint.issuer,
            "jwt_audience": mint.audience,
            "cursor_key": SecretStr("test-cursor-key-test-cursor-key-"),
        }
        return service.settings(**values | more)

    return made


@pytest.fixture
async def database(
    settings_as: Callable[..., ServiceSettings], service: ServiceUnderTest, clock: FixedClock
) -> AsyncIterator[Database]:
    """The service's database as its worker sees it."""
    made = Database(settings_as("worker"), source=f"/{service.name}-svc", clock=clock)
    await made.open()
    yield made
    await made.close()


@pytest.fixture
def app(settings_as: Callable[..., ServiceSettings], service: ServiceUnderTest, clock: FixedClock) -> FastAPI:
    """The service's API, as its API role."""
    return service.create_app(settings_as("api"), clock=clock)


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the API in this process; an unexpected error answers 500 instead of raising."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://test") as made,
    ):
        yield made


@pytest.fixture
def mailbox(
    service: ServiceUnderTest, database: Database, database_name: str, postgres: str, clock: FixedClock
) -> Mailbox:
    """Events in and out of the service."""
    dsn = postgres.rpartition("/")[0] + f"/{database_name}"
    return Mailbox(service, database, dsn, clock)


@pytest.fixture
def crashes(
    service: ServiceUnderTest, settings_as: Callable[..., ServiceSettings], clock: FixedClock, mailbox: Mailbox
) -> Crashes:
    """Have processes of the service die at named points of their code."""
    return Crashes(service.name, settings_as("worker"), settings_as("api"), clock, mailbox)


@pytest.fixture
def deliver(mailbox: Mailbox) -> Any:
    """Feed events through the real batch processor."""
    return mailbox.deliver


@pytest.fixture
def fire_timers(mailbox: Mailbox) -> Any:
    """Fire every timer until nothing is due."""
    return mailbox.fire_timers


@pytest.fixture
def outbox(mailbox: Mailbox) -> Any:
    """What the service emitted."""
    return mailbox.outbox


@pytest.fixture
def dead_letters(mailbox: Mailbox) -> Any:
    """What the service could not handle."""
    return mailbox.dead_letters


@pytest.fixture
def admin(mailbox: Mailbox) -> Any:
    """Statements as superuser."""
    return mailbox.admin
