"""stakeholder-svc under test, and the events it hears as its tests say them."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID

import httpx
import pytest

from bellwether_kit.clock import FixedClock
from bellwether_kit.events import Event, Payload
from bellwether_kit.testing.service import ServiceUnderTest
from stakeholder_svc.main import create_app
from stakeholder_svc.settings import Settings
from stakeholder_svc.subscriptions import SUBSCRIPTIONS, TIMERS

ACCOUNT = UUID("0199f3a0-5c1e-7a10-8f43-2b6f0a1c9d01")
OTHER = UUID("0199f3a0-5c1e-7a10-8f43-2b6f0a1c9d02")


@pytest.fixture(scope="session")
def service() -> ServiceUnderTest:
    return ServiceUnderTest(
        name="stakeholder",
        migrations=Path(__file__).parents[1] / "migrations",
        settings=Settings,
        create_app=create_app,
        subscriptions=SUBSCRIPTIONS,
        timers=TIMERS,
    )


class AccountSaid(Payload, frozen=True, kw_only=True):
    topic: ClassVar[str] = "accounts"
    event_type: ClassVar[str] = "account.profile.changed.v1"

    account_id: UUID
    name: str = "Acme"
    version: int = 1
    external_ids: tuple[dict[str, str], ...] = ()


class AccountGone(Payload, frozen=True, kw_only=True):
    topic: ClassVar[str] = "accounts"
    event_type: ClassVar[str] = "account.profile.removed.v1"

    account_id: UUID
    version: int
    reason: str = "merged"


@pytest.fixture
def account_id() -> UUID:
    return ACCOUNT


@pytest.fixture
def other_id() -> UUID:
    return OTHER


@pytest.fixture
def account(clock: FixedClock) -> Callable[..., Event]:
    """``account(version=2)``: what profile-svc says of an account; ``removed=True``: that it is gone."""

    def made(*, tenant: str = "acme", removed: bool = False, **data: Any) -> Event:
        fields = {"account_id": ACCOUNT} | data
        said: Payload = AccountGone(**fields) if removed else AccountSaid(**fields)
        version, subject = fields.get("version", 1), str(fields["account_id"])
        return Event.of(said, tenant=tenant, subject=subject, time=clock.now(), sequence=version)

    return made


@pytest.fixture
async def known(deliver: Callable[..., Awaitable[None]], account: Callable[..., Event]) -> None:
    """Two accounts are known to one tenant, and the first one's id to another tenant too."""
    await deliver(
        account(external_ids=({"source": "hubspot", "external_id": "company-17"},)),
        account(account_id=OTHER, name="Other"),
        account(tenant="globex"),
    )


@pytest.fixture
def writer(auth: Callable[..., dict[str, str]]) -> dict[str, str]:
    return auth("stakeholders:read stakeholders:write", sub="ana@example.com")


@pytest.fixture
def put(client: httpx.AsyncClient, writer: dict[str, str]) -> Callable[..., Awaitable[list[dict[str, Any]]]]:
    """``put({...}, {...})``: upsert people (at the account, unless they say another); gives the results."""

    async def sent(*people: dict[str, Any], headers: dict[str, str] = writer) -> list[dict[str, Any]]:
        items = [{"account": {"id": str(ACCOUNT)}} | person for person in people]
        answer = await client.post("/v1/stakeholders", json={"items": items}, headers=headers)
        assert answer.status_code == 200, answer.text
        results: list[dict[str, Any]] = answer.json()["items"]
        return results

    return sent


@pytest.fixture
def read(client: httpx.AsyncClient, writer: dict[str, str]) -> Callable[..., Awaitable[dict[str, Any]]]:
    """``read(id)``: one person."""

    async def got(id_: str, headers: dict[str, str] = writer) -> dict[str, Any]:
        found: dict[str, Any] = (await client.get(f"/v1/stakeholders/{id_}", headers=headers)).json()
        return found

    return got
