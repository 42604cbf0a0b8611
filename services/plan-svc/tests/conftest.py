"""plan-svc under test, and the events it hears as its tests say them."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID

import pytest

from bellwether_kit.clock import FixedClock
from bellwether_kit.events import Event, Payload
from bellwether_kit.ids import uuid7
from bellwether_kit.testing.service import ServiceUnderTest
from plan_svc.main import create_app
from plan_svc.settings import Settings
from plan_svc.subscriptions import SUBSCRIPTIONS, TIMERS

ACCOUNT = UUID("0199f3a0-5c1e-7a10-8f43-2b6f0a1c9d01")
OWNER = UUID("0199f3a0-5c1e-7a10-8f43-2b6f0a1c9d0f")


@pytest.fixture(scope="session")
def service() -> ServiceUnderTest:
    return ServiceUnderTest(
        name="plan",
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
    tier: str | None = "A"
    owner_id: UUID | None = None
    version: int = 1


class AccountGone(Payload, frozen=True, kw_only=True):
    topic: ClassVar[str] = "accounts"
    event_type: ClassVar[str] = "account.profile.removed.v1"

    account_id: UUID
    version: int
    reason: str = "merged"


class AlertSaid(Payload, frozen=True, kw_only=True):
    topic: ClassVar[str] = "account-alerts"
    event_type: ClassVar[str] = "account.alert.opened.v1"

    alert_id: UUID
    account_id: UUID
    owner_id: UUID | None = None
    suggested_play: str | None = "recover-relationship"
    summary: str = "Acme is at risk: 37 (was 52)"


class AlertReopened(AlertSaid, frozen=True, kw_only=True):
    event_type: ClassVar[str] = "account.alert.reopened.v1"


class AlertResolved(AlertSaid, frozen=True, kw_only=True):
    event_type: ClassVar[str] = "account.alert.resolved.v1"


ALERTS: dict[str, type[AlertSaid]] = {"opened": AlertSaid, "reopened": AlertReopened, "resolved": AlertResolved}


@pytest.fixture
def account_id() -> UUID:
    return ACCOUNT


@pytest.fixture
def owner_id() -> UUID:
    return OWNER


@pytest.fixture
def alert_id() -> UUID:
    return UUID("0199f3a0-5c1e-7a10-8f43-2b6f0a1c9da1")


@pytest.fixture
def alert(clock: FixedClock, alert_id: UUID) -> Callable[..., Event]:
    """``alert("opened", 3)``: what scoring-svc says, as the third event of the account."""

    def made(what: str, sequence: int, *, tenant: str = "acme", **data: Any) -> Event:
        fields = {"alert_id": alert_id, "account_id": ACCOUNT} | data
        said = ALERTS[what](**fields)
        return Event.of(said, tenant=tenant, subject=str(said.account_id), time=clock.now(), sequence=sequence)

    return made


@pytest.fixture
def account(clock: FixedClock) -> Callable[..., Event]:
    """``account(owner_id=…)``: what profile-svc says of the account; ``removed=True``: that it is gone."""

    def made(*, tenant: str = "acme", removed: bool = False, **data: Any) -> Event:
        fields = {"account_id": ACCOUNT} | data
        said: Payload = AccountGone(**fields) if removed else AccountSaid(**fields)
        version = fields.get("version", 1)
        return Event.of(said, tenant=tenant, subject=str(ACCOUNT), time=clock.now(), sequence=version)

    return made


@pytest.fixture
async def known(deliver: Callable[..., Awaitable[None]], account: Callable[..., Event]) -> None:
    """The account is known, to two tenants under the same id."""
    await deliver(account(owner_id=OWNER), account(owner_id=uuid7(), tenant="globex"))


@pytest.fixture
def writer(auth: Callable[..., dict[str, str]]) -> dict[str, str]:
    return auth("plans:read plans:write", sub="ana@example.com")
