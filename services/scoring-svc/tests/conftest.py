"""scoring-svc under test, and the events it hears as its tests say them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID

import httpx
import pytest

from bellwether_kit.clock import FixedClock
from bellwether_kit.events import Event, Payload
from bellwether_kit.ids import uuid7
from bellwether_kit.testing.service import Mailbox, Outgoing, ServiceUnderTest
from scoring_svc.main import create_app
from scoring_svc.settings import Settings
from scoring_svc.subscriptions import SUBSCRIPTIONS, TIMERS

ACCOUNT = UUID("0199f3a0-5c1e-7a10-8f43-2b6f0a1c9d01")
OWNER = UUID("209c8efb-7e94-561d-8626-400778f673fd")
MIND = ("advice", "invited", "not", "inside")
WALLET = ("scope", "order", "buying", "renewal", "payment")


@pytest.fixture(scope="session")
def service() -> ServiceUnderTest:
    return ServiceUnderTest(
        name="scoring",
        migrations=Path(__file__).parents[1] / "migrations",
        settings=Settings,
        create_app=create_app,
        subscriptions=SUBSCRIPTIONS,
        timers=TIMERS,
    )


def dimension_of(kind: str) -> str:
    head = kind.partition("-")[0]
    return "mind" if head in MIND else "wallet" if head in WALLET else "heart"


class EvidenceSaid(Payload, frozen=True, kw_only=True):
    topic: ClassVar[str] = "client-evidence"
    event_type: ClassVar[str] = "client.evidence.recorded.v1"

    evidence_id: UUID
    account_id: UUID
    kind: str
    family: str = "calls-and-emails"
    dimension: str
    polarity: int = -1
    magnitude: float = 1.0
    observed_at: datetime
    revision: int = 1


class EvidenceGone(Payload, frozen=True, kw_only=True):
    topic: ClassVar[str] = "client-evidence"
    event_type: ClassVar[str] = "client.evidence.retracted.v1"

    evidence_id: UUID
    account_id: UUID
    revision: int
    reason: str = "a reply came"


class AccountSaid(Payload, frozen=True, kw_only=True):
    topic: ClassVar[str] = "accounts"
    event_type: ClassVar[str] = "account.profile.changed.v1"

    account_id: UUID
    name: str = "Northwind"
    tier: str | None = "A"
    owner_id: UUID | None = OWNER
    parent_id: UUID | None = None
    industry: str | None = None
    territory: str | None = None
    cadence_days: float | None = None
    renewal_at: datetime | None = None
    value: dict[str, Any] | None = None
    whitespace: dict[str, Any] | None = None
    known_since: datetime | None = None
    version: int = 1


class AccountGone(Payload, frozen=True, kw_only=True):
    topic: ClassVar[str] = "accounts"
    event_type: ClassVar[str] = "account.profile.removed.v1"

    account_id: UUID
    version: int
    reason: str = "merged"


class TouchSaid(Payload, frozen=True, kw_only=True):
    topic: ClassVar[str] = "client-metrics"
    event_type: ClassVar[str] = "client.touch.recorded.v1"

    account_id: UUID
    last_two_way_at: datetime | None
    distinct_contacts_90d: int = 1


class CoverageSaid(Payload, frozen=True, kw_only=True):
    topic: ClassVar[str] = "stakeholders"
    event_type: ClassVar[str] = "stakeholder.coverage.changed.v1"

    account_id: UUID
    coverage: float
    assessed_at: datetime
    people: int | None = None
    thread_share: float | None = None


class PersonSaid(Payload, frozen=True, kw_only=True):
    topic: ClassVar[str] = "stakeholders"
    event_type: ClassVar[str] = "stakeholder.profile.changed.v1"

    stakeholder_id: UUID
    account_id: UUID
    sentiment: str = "champion"
    veto: bool = False
    status: str = "active"
    version: int = 1


class PersonGone(Payload, frozen=True, kw_only=True):
    topic: ClassVar[str] = "stakeholders"
    event_type: ClassVar[str] = "stakeholder.profile.removed.v1"

    stakeholder_id: UUID
    account_id: UUID
    version: int
    reason: str = "erased"


class MetricSaid(Payload, frozen=True, kw_only=True):
    topic: ClassVar[str] = "client-metrics"
    event_type: ClassVar[str] = "client.metric.measured.v1"

    account_id: UUID
    metric: str
    value: float
    measured_at: datetime
    unit: str = "percent"


class PlanSaid(Payload, frozen=True, kw_only=True):
    topic: ClassVar[str] = "account-plans"
    event_type: ClassVar[str] = "account.plan.progressed.v1"

    plan_id: UUID
    account_id: UUID
    status: str = "active"
    actions_total: int = 4
    actions_overdue: int
    measured_at: datetime
    overdue_since: list[date] | None = None


@dataclass(frozen=True)
class World:
    """What happens around one account, and what the service makes of it."""

    mailbox: Mailbox
    clock: FixedClock
    client: httpx.AsyncClient
    auth: Callable[..., dict[str, str]]

    def evidence(self, kind: str, *, ago: timedelta = timedelta(), **more: Any) -> EvidenceSaid:
        """A piece of evidence observed `ago`, heart, mind or wallet by its kind."""
        fields: dict[str, Any] = {
            "evidence_id": uuid7(),
            "account_id": ACCOUNT,
            "kind": kind,
            "dimension": dimension_of(kind),
            "observed_at": self.clock.now() - ago,
        }
        return EvidenceSaid(**fields | more)

    async def tell(self, *said: Payload | Event, tenant: str = "acme", times: int = 1) -> None:
        """Deliver events as one batch."""
        await self.mailbox.deliver(*said, tenant=tenant, times=times)

    async def happens(self, *kinds: str) -> list[EvidenceSaid]:
        """Deliver one piece of evidence after the other, a minute apart."""
        said = []
        for kind in kinds:
            self.clock.advance(timedelta(minutes=1))
            said.append(self.evidence(kind))
            await self.tell(said[-1])
        return said

    async def get(self, path: str, *, tenant: str = "acme", **query: Any) -> httpx.Response:
        headers = self.auth("health:read alerts:read", tenant=tenant)
        return await self.client.get(f"/v1{path}", params=query, headers=headers)

    async def post(self, path: str, body: Any = None, *, tenant: str = "acme") -> httpx.Response:
        headers = self.auth("alerts:write", tenant=tenant)
        return await self.client.post(f"/v1{path}", json=body, headers=headers)

    async def put(self, path: str, body: Any, **headers: str) -> httpx.Response:
        return await self.client.put(f"/v1{path}", json=body, headers=self.auth("alerts:admin") | headers)

    async def health(self, account_id: UUID = ACCOUNT) -> dict[str, Any]:
        answer = await self.get(f"/accounts/{account_id}/health")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def alerts(self, **query: Any) -> list[dict[str, Any]]:
        answer = await self.get("/alerts", **query)
        assert answer.status_code == 200, answer.text
        return list(answer.json()["items"])

    def said(self, type_: str) -> list[Outgoing]:
        return self.mailbox.outbox(type_)

    def alert_events(self) -> list[str]:
        """What was said about alerts, in order: opened, updated, resolved…"""
        return [row.type.split(".")[2] for row in self.mailbox.outbox() if row.topic == "account-alerts"]

    async def days_pass(self, days: float) -> None:
        """Move the clock in one jump and let the timers catch up."""
        self.clock.advance(timedelta(days=days))
        await self.mailbox.fire_timers()


@pytest.fixture
def world(mailbox: Mailbox, clock: FixedClock, client: httpx.AsyncClient, auth: Callable[..., dict[str, str]]) -> World:
    return World(mailbox, clock, client, auth)


class Saying:
    """Events by what they say."""

    @staticmethod
    def account(**facts: Any) -> AccountSaid:
        return AccountSaid(**{"account_id": ACCOUNT} | facts)

    @staticmethod
    def account_gone(version: int) -> AccountGone:
        return AccountGone(account_id=ACCOUNT, version=version)

    @staticmethod
    def touch(last_two_way_at: datetime | None) -> TouchSaid:
        return TouchSaid(account_id=ACCOUNT, last_two_way_at=last_two_way_at)

    @staticmethod
    def coverage(coverage: float, assessed_at: datetime, **more: Any) -> CoverageSaid:
        return CoverageSaid(account_id=ACCOUNT, coverage=coverage, assessed_at=assessed_at, **more)

    @staticmethod
    def metric(metric: str, value: float, measured_at: datetime) -> MetricSaid:
        return MetricSaid(account_id=ACCOUNT, metric=metric, value=value, measured_at=measured_at)

    @staticmethod
    def person(number: int = 1, **more: Any) -> PersonSaid:
        return PersonSaid(**{"stakeholder_id": UUID(int=number), "account_id": ACCOUNT} | more)

    @staticmethod
    def person_gone(version: int, number: int = 1) -> PersonGone:
        return PersonGone(stakeholder_id=UUID(int=number), account_id=ACCOUNT, version=version)

    @staticmethod
    def plan(overdue: list[date] | int, at: datetime, number: int = 1, **more: Any) -> PlanSaid:
        late = overdue if isinstance(overdue, int) else len(overdue)
        since = None if isinstance(overdue, int) else overdue
        fields: dict[str, Any] = {"plan_id": UUID(int=number), "account_id": ACCOUNT, "actions_overdue": late}
        return PlanSaid(**fields | {"overdue_since": since, "measured_at": at} | more)

    @staticmethod
    def retraction(said: EvidenceSaid, revision: int = 2) -> EvidenceGone:
        return EvidenceGone(evidence_id=said.evidence_id, account_id=said.account_id, revision=revision)


@pytest.fixture
def saying() -> Saying:
    return Saying()
