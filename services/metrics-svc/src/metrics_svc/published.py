"""What metrics-svc says: the contracts of topics ``client-evidence`` and ``client-metrics``. People are opaque ids."""

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from msgspec import Meta

from bellwether_kit.events import Payload, UtcTime

Count = Annotated[int, Meta(ge=0)]
NotNegative = Annotated[float, Meta(ge=0)]
Share = Annotated[float, Meta(ge=0, le=1)]
Revision = Annotated[int, Meta(ge=1, description="Counts the corrections of one piece; the last one wins")]


class EvidenceRecorded(Payload, frozen=True, kw_only=True):
    """A piece of client evidence, new or corrected. It says what happened; its worth is the scorecard's."""

    topic: ClassVar[str] = "client-evidence"
    event_type: ClassVar[str] = "client.evidence.recorded.v1"

    evidence_id: UUID
    account_id: UUID
    kind: Annotated[str, Meta(description="A kind of the catalogue; may grow")]
    family: Annotated[str, Meta(description="The family of the kind; may grow")]
    dimension: Annotated[Literal["heart", "mind", "wallet"], Meta(description="What share the kind speaks of")]
    polarity: Annotated[Literal[-1, 1], Meta(description="Against us or for us")]
    magnitude: Annotated[float, Meta(gt=0, le=10, description="Size beside an ordinary piece of its kind, 1")]
    observed_at: Annotated[UtcTime, Meta(description="When it came true; may lie ahead for a meeting")]
    recorded_at: UtcTime
    revision: Revision
    source: Annotated[str, Meta(description="The system it comes from")]
    contact_ids: Annotated[list[UUID], Meta(description="People at the client it is about; empty: unknown")]
    owner_id: Annotated[UUID | None, Meta(description="Our user: UUIDv5 of tenant and lower-case e-mail")]
    activity_ids: Annotated[list[UUID], Meta(description="The activities it was derived from")]


class EvidenceRetracted(Payload, frozen=True, kw_only=True):
    """A piece of evidence no longer stands: it was corrected away, or a person withdrew it."""

    topic: ClassVar[str] = "client-evidence"
    event_type: ClassVar[str] = "client.evidence.retracted.v1"

    evidence_id: UUID
    account_id: UUID
    revision: Revision
    reason: Annotated[str, Meta(min_length=1, max_length=500, description="superseded, or a person's words")]


class MetricMeasured(Payload, frozen=True, kw_only=True):
    """One measured value of an account: satisfaction, a KPI, revenue."""

    topic: ClassVar[str] = "client-metrics"
    event_type: ClassVar[str] = "client.metric.measured.v1"

    account_id: UUID
    metric: Annotated[str, Meta(description="csat, nps, revenue…; may grow")]
    value: float
    unit: str
    n: Annotated[Count | None, Meta(description="How many answers or records it rests on")]
    standard_error: Annotated[NotNegative | None, Meta(description="In the value's unit")]
    period_start: UtcTime | None
    period_end: UtcTime | None
    measured_at: UtcTime
    method: Annotated[str | None, Meta(description="How the value was counted, where there are several ways")] = None


class TouchRecorded(Payload, frozen=True, kw_only=True):
    """The last contacts with an account moved. Counts, median and ratio are over the 90 days before."""

    topic: ClassVar[str] = "client-metrics"
    event_type: ClassVar[str] = "client.touch.recorded.v1"

    account_id: UUID
    last_outbound_at: UtcTime | None
    last_inbound_at: UtcTime | None
    last_two_way_at: Annotated[UtcTime | None, Meta(description="Last contact the client took part in")]
    distinct_contacts_90d: Count
    response_time_median_hours: NotNegative | None
    two_way_ratio: Annotated[Share | None, Meta(description="Share of contacts that were two-way")]


class SourceFeedSilenced(Payload, frozen=True, kw_only=True):
    """A source was not heard from for three times its usual gap. Keyed by source, not by account."""

    topic: ClassVar[str] = "client-metrics"
    event_type: ClassVar[str] = "source.feed.silenced.v1"

    source: Annotated[str, Meta(description="The name its activities are kept under")]
    last_heard_at: UtcTime
    usual_gap_hours: Annotated[NotNegative, Meta(description="In hours of weekdays, UTC")]
    noticed_at: UtcTime


class SourceFeedResumed(Payload, frozen=True, kw_only=True):
    """A source that had fallen silent is heard from again."""

    topic: ClassVar[str] = "client-metrics"
    event_type: ClassVar[str] = "source.feed.resumed.v1"

    source: Annotated[str, Meta(description="The name its activities are kept under")]
    silent_since: Annotated[UtcTime, Meta(description="When it had last been heard before")]
    heard_at: UtcTime


PUBLISHED: tuple[type[Payload], ...] = (
    EvidenceRecorded,
    EvidenceRetracted,
    MetricMeasured,
    TouchRecorded,
    SourceFeedSilenced,
    SourceFeedResumed,
)
