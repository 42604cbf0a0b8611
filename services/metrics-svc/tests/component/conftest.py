"""The words that the component tests of this service share."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

import httpx
import pytest
from cryptography.fernet import Fernet
from fastapi import FastAPI
from pydantic import SecretStr

from bellwether_kit.clock import FixedClock
from bellwether_kit.events import Payload
from bellwether_kit.settings import ServiceSettings
from bellwether_kit.testing.service import Mailbox, ServiceUnderTest

ACCOUNT = UUID("01890000-0000-7000-8000-000000000017")
OTHER = UUID("01890000-0000-7000-8000-000000000018")


class AccountChanged(Payload, frozen=True, kw_only=True):
    """The account as profile-svc says it, with a field we know nothing of."""

    topic: ClassVar[str] = "accounts"
    event_type: ClassVar[str] = "account.profile.changed.v1"

    account_id: UUID = ACCOUNT
    version: int = 1
    name: str | None = None
    country: str | None = None
    owner_id: UUID | None = None
    tier: str | None = None
    territory: str | None = None
    cadence_days: float | None = None
    external_ids: tuple[dict[str, str], ...] = ({"source": "crm", "external_id": "company-17"},)
    email_domains: tuple[str, ...] = ("acme.example",)
    unheard_of: str = "ignored"


class AccountRemoved(Payload, frozen=True, kw_only=True):
    topic: ClassVar[str] = "accounts"
    event_type: ClassVar[str] = "account.profile.removed.v1"

    account_id: UUID = ACCOUNT
    version: int = 2
    reason: str = "merged"


class StakeholderChanged(Payload, frozen=True, kw_only=True):
    topic: ClassVar[str] = "stakeholders"
    event_type: ClassVar[str] = "stakeholder.profile.changed.v1"

    stakeholder_id: UUID
    account_id: UUID = ACCOUNT
    external_ids: tuple[dict[str, str], ...] = ()
    version: int = 1


class StakeholderRemoved(Payload, frozen=True, kw_only=True):
    topic: ClassVar[str] = "stakeholders"
    event_type: ClassVar[str] = "stakeholder.profile.removed.v1"

    stakeholder_id: UUID
    account_id: UUID
    version: int = 2
    reason: str = "erased"


@dataclass(frozen=True)
class Connected:
    """A connection: its route, where its system delivers to, and what proves a delivery."""

    path: str
    address: str
    secret: str
    secret_id: str


@dataclass(frozen=True)
class Crm:
    """A source system as it posts to one tenant, and what the tenant reads."""

    client: httpx.AsyncClient
    headers: dict[str, str]
    clock: FixedClock
    mailbox: Mailbox

    def at(self, **before: float) -> str:
        """The time so long ago, on the wire."""
        return (self.clock.now() - timedelta(**before)).isoformat()

    def call(self, number: int, outcome: str = "no-answer", **changed: Any) -> dict[str, Any]:
        """A call as a CRM posts it."""
        return {
            "source": "crm",
            "external_id": f"call-{number}",
            "type": "call",
            "direction": "outbound",
            "outcome": outcome,
            "occurred_at": self.at(),
            "account": {"source": "crm", "external_id": "company-17"},
            "contacts": [{"source": "crm", "external_id": "contact-4"}],
        } | changed

    async def post(self, *items: dict[str, Any], path: str = "/v1/activities", **query: Any) -> list[dict[str, Any]]:
        """The results of one bulk request."""
        answer = await self.client.post(path, json={"items": items}, params=query, headers=self.headers)
        assert answer.status_code == 200, answer.text
        return list(answer.json()["items"])

    async def statuses(self, *items: dict[str, Any], **more: Any) -> list[str]:
        return [result["status"] for result in await self.post(*items, **more)]

    async def get(self, path: str, **query: Any) -> Any:
        answer = await self.client.get(path, params=query, headers=self.headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def evidence(self, **query: Any) -> list[tuple[str, str, int]]:
        """Kind, status and revision of all evidence, the earliest observed first."""
        items = (await self.get("/v1/evidence", **query))["items"]
        return [(item["kind"], item["status"], item["revision"]) for item in reversed(items)]

    async def standing(self) -> list[str]:
        """The kinds of the evidence that stands."""
        return [kind for kind, _, _ in await self.evidence(status="recorded")]

    async def connect(self, adapter: str, *, secret: str | None = None, **more: Any) -> Connected:
        """A connection of a source system, with one secret: this one, or one that was made."""
        made = await self.client.post(
            "/v1/connections", json={"adapter": adapter, "source": "crm"} | more, headers=self.headers
        )
        assert made.status_code == 201, made.text
        path = f"/v1/connections/{made.json()['id']}"
        kept = await self.client.post(f"{path}/secrets", json={"secret": secret}, headers=self.headers)
        assert kept.status_code == 201, kept.text
        return Connected(path, made.json()["address"], secret or kept.json()["secret"], kept.json()["id"])

    async def deliveries(self, **query: Any) -> list[dict[str, Any]]:
        """The deliveries, the latest first, after the worker has worked them."""
        await self.mailbox.fire_timers()
        return list((await self.get("/v1/inbound-deliveries", **query))["items"])

    async def pass_time(self, **span: float) -> None:
        """Let time go by, and what is due with it happen."""
        self.clock.advance(timedelta(**span))
        await self.mailbox.fire_timers()


@pytest.fixture
def app(settings_as: Callable[..., ServiceSettings], service: ServiceUnderTest, clock: FixedClock) -> FastAPI:
    """The API of an installation that can keep secrets."""
    return service.create_app(settings_as("api", secret_keys=SecretStr(Fernet.generate_key().decode())), clock=clock)


SCOPES = "evidence:ingest evidence:read evidence:write evidence:admin"


@pytest.fixture
def crm(client: httpx.AsyncClient, auth: Callable[..., dict[str, str]], clock: FixedClock, mailbox: Mailbox) -> Crm:
    return Crm(client, auth(SCOPES), clock, mailbox)


@pytest.fixture
def of_globex(
    client: httpx.AsyncClient, auth: Callable[..., dict[str, str]], clock: FixedClock, mailbox: Mailbox
) -> Crm:
    """The same as another tenant."""
    return Crm(client, auth(SCOPES, tenant="globex"), clock, mailbox)


@pytest.fixture
def changed() -> type[AccountChanged]:
    return AccountChanged


@pytest.fixture
def removed() -> type[AccountRemoved]:
    return AccountRemoved


@pytest.fixture
def person() -> type[StakeholderChanged]:
    return StakeholderChanged


@pytest.fixture
def erased() -> type[StakeholderRemoved]:
    return StakeholderRemoved


@pytest.fixture
async def account(mailbox: Mailbox) -> UUID:
    """An account that is known before the test begins."""
    await mailbox.deliver(AccountChanged())
    return ACCOUNT


@pytest.fixture
def other() -> UUID:
    """The id of another account."""
    return OTHER


@pytest.fixture
def start(clock: FixedClock) -> datetime:
    return clock.now()
