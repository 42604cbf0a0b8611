"""What scoring-svc hears: tolerant models with only the fields it uses; unknown fields are ignored."""

from datetime import date
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from bellwether_kit.events import UtcTime

UuidText = Annotated[str, Meta(pattern="^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$")]
"""An id that stays a text: on the hot path it is compared and stored many times and never looked into."""
Finite = Annotated[float, Meta(ge=-1e12, le=1e12)]


class EvidenceRecorded(msgspec.Struct, frozen=True, kw_only=True):
    """``client.evidence.recorded.v1``: something the client did, or did not do."""

    evidence_id: UuidText
    account_id: UuidText
    kind: str
    dimension: str
    magnitude: Annotated[float, Meta(ge=0, le=1_000)] = 1.0
    observed_at: UtcTime
    revision: Annotated[int, Meta(ge=0, le=2**31 - 1)]


class EvidenceRetracted(msgspec.Struct, frozen=True, kw_only=True):
    """``client.evidence.retracted.v1``: that evidence does not stand."""

    evidence_id: UuidText
    account_id: UuidText
    revision: Annotated[int, Meta(ge=0, le=2**31 - 1)]


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """Yearly value at stake."""

    amount: Finite
    currency: str


class AccountChanged(msgspec.Struct, frozen=True, kw_only=True):
    """``account.profile.changed.v1``: the whole state of an account."""

    account_id: UuidText
    name: str
    version: int
    tier: str | None = None
    owner_id: UUID | None = None
    parent_id: UUID | None = None
    industry: str | None = None
    territory: str | None = None
    cadence_days: Finite | None = None
    renewal_at: UtcTime | None = None
    value: Value | None = None
    whitespace: Value | None = None
    known_since: UtcTime | None = None


class AccountRemoved(msgspec.Struct, frozen=True, kw_only=True):
    """``account.profile.removed.v1``: the account is no longer ours."""

    account_id: UuidText
    version: int


class TouchRecorded(msgspec.Struct, frozen=True, kw_only=True):
    """``client.touch.recorded.v1``: when we last heard each other."""

    account_id: UuidText
    last_two_way_at: UtcTime | None = None


class MetricMeasured(msgspec.Struct, frozen=True, kw_only=True):
    """``client.metric.measured.v1``: here for satisfaction (``csat`` in percent, ``nps`` from -100 to 100)."""

    account_id: UuidText
    metric: str
    value: Finite
    measured_at: UtcTime


class CoverageChanged(msgspec.Struct, frozen=True, kw_only=True):
    """``stakeholder.coverage.changed.v1``: how well the roles that decide are covered, 0 to 100."""

    account_id: UuidText
    coverage: Annotated[float, Meta(ge=0, le=100)]
    assessed_at: UtcTime
    people: Annotated[int, Meta(ge=0)] | None = None
    thread_share: Annotated[float, Meta(ge=0, le=100)] | None = None


class StakeholderChanged(msgspec.Struct, frozen=True, kw_only=True):
    """``stakeholder.profile.changed.v1``: a person, by opaque id: on whose side, with what power to stop us."""

    stakeholder_id: UuidText
    account_id: UuidText
    version: int
    status: str
    sentiment: str = "neutral"
    veto: bool = False


class StakeholderRemoved(msgspec.Struct, frozen=True, kw_only=True):
    """``stakeholder.profile.removed.v1``: the person is not known any more."""

    stakeholder_id: UuidText
    account_id: UuidText
    version: int


class PlanProgressed(msgspec.Struct, frozen=True, kw_only=True):
    """``account.plan.progressed.v1``: how many actions an account's plan has, how many are overdue, since when."""

    account_id: UuidText
    plan_id: UuidText | None = None
    status: str = "active"
    overdue_since: list[date] | None = None
    actions_total: Annotated[int, Meta(ge=0)]
    actions_overdue: Annotated[int, Meta(ge=0)]
    measured_at: UtcTime


class FeedSilenced(msgspec.Struct, frozen=True, kw_only=True):
    """``source.feed.silenced.v1``: a source of activities was not heard from for long."""

    source: Annotated[str, Meta(max_length=500)]


class FeedResumed(msgspec.Struct, frozen=True, kw_only=True):
    """``source.feed.resumed.v1``: it is heard from again."""

    source: Annotated[str, Meta(max_length=500)]
