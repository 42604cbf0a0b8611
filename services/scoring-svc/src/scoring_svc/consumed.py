"""What scoring-svc hears: tolerant models with only the fields it uses; unknown fields are ignored."""

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
    cadence_days: Finite | None = None
    renewal_at: UtcTime | None = None
    value: Value | None = None
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


class PlanProgressed(msgspec.Struct, frozen=True, kw_only=True):
    """``account.plan.progressed.v1``: how many actions an account's plan has, and how many are overdue."""

    account_id: UuidText
    actions_total: Annotated[int, Meta(ge=0)]
    actions_overdue: Annotated[int, Meta(ge=0)]
    measured_at: UtcTime
