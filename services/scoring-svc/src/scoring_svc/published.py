"""What scoring-svc says: the definition of the contracts of `account-scores` and `account-alerts`. No personal data."""

from typing import Annotated, ClassVar
from uuid import UUID

import msgspec
from msgspec import Meta

from bellwether_kit.events import Payload, UtcTime

Id = Annotated[str, Meta(extra_json_schema={"format": "uuid"})]
"""A UUID as its text: these events are made by the thousand, and objects made of texts would become texts again."""
Percent = Annotated[float, Meta(ge=0, le=100)]
Band = Annotated[str, Meta(description="healthy, watch, at-risk or unknown")]
Severity = Annotated[str, Meta(description="low, medium, high or critical")]
Points = Annotated[float, Meta(description="Score with this evidence minus score without it")]


class Driver(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of evidence that moves the score."""

    evidence_id: Id
    kind: str
    observed_at: UtcTime
    points: Points


class Dimensions(msgspec.Struct, frozen=True, kw_only=True):
    """The three dimensions of the relationship; null without evidence."""

    heart: Percent | None
    mind: Percent | None
    wallet: Percent | None


class Measures(msgspec.Struct, frozen=True, kw_only=True):
    """All measures of the scorecard; null where missing or past its validity."""

    heart: Percent | None
    mind: Percent | None
    wallet: Percent | None
    engagement: Percent | None
    coverage: Percent | None
    responsiveness: Percent | None
    satisfaction: Percent | None
    plan: Percent | None


class Capped(msgspec.Struct, frozen=True, kw_only=True):
    """A fact so grave that it caps the score."""

    cap: Annotated[str, Meta(description="renewal-declined, champion-gone, veto-holder-detractor; may grow")]
    limit: Percent
    reason: str


class Overridden(msgspec.Struct, frozen=True, kw_only=True):
    """What a person says of the account for a while: a score or a band. Rules go by the computed score."""

    score: Percent | None
    band: Band | None
    expires_at: UtcTime


class HealthChanged(Payload, frozen=True, kw_only=True):
    """An account's health as it is after each visible change: the whole state."""

    topic: ClassVar[str] = "account-scores"
    event_type: ClassVar[str] = "account.health.changed.v1"

    account_id: Id
    score: Percent
    previous_score: Annotated[Percent | None, Meta(description="Of the event before; null in the first")]
    band: Band
    previous_band: Band | None
    dimensions: Dimensions
    measures: Measures
    confidence: Annotated[float, Meta(ge=0, le=1, description="Weight of the measures present")]
    scorecard: str
    scorecard_version: Annotated[int, Meta(ge=1)]
    evaluated_at: UtcTime
    sequence: Annotated[int, Meta(ge=1, description="Counts the account's health events without gaps")]
    drivers: Annotated[list[Driver], Meta(description="The strongest evidence: losses first, each side by size")]
    uncapped_score: Annotated[Percent | None, Meta(description="What the measures alone come to")] = None
    caps: Annotated[list[Capped], Meta(description="What caps the score, the lowest first")] = msgspec.field(
        default_factory=list
    )
    override: Annotated[Overridden | None, Meta(description="What a person says instead, for a while")] = None


class AlertReason(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that holds."""

    rule: Annotated[str, Meta(description="health-below, health-drop, going-dark…; may grow")]
    since: UtcTime
    severity: Severity
    value: Annotated[float, Meta(description="What the rule measured when it last fired, in the rule's unit")]
    threshold: float
    clear_threshold: float


class ValueAtStake(msgspec.Struct, frozen=True, kw_only=True):
    """Yearly value of the account."""

    amount: float
    currency: str


class AlertLinks(msgspec.Struct, frozen=True, kw_only=True):
    """Paths in scoring-svc's API."""

    alert: str
    account: str


class AlertState(Payload, frozen=True, kw_only=True):
    """An alert, whole, as it is after a change; every alert event carries it."""

    alert_id: UUID
    account_id: UUID
    account_name: str | None
    owner_id: Annotated[UUID | None, Meta(description="Our user: UUIDv5 of tenant and lower-case e-mail")]
    assignee_id: UUID | None = None
    tier: str | None
    kind: Annotated[str, Meta(description="at-risk, plan or growth; may grow")]
    reasons: list[AlertReason]
    severity: Severity
    status: Annotated[str, Meta(description="open, acknowledged, snoozed or resolved")]
    episode: Annotated[int, Meta(ge=1)]
    summary: str
    opened_at: UtcTime
    last_fired_at: UtcTime
    firings: Annotated[int, Meta(ge=1)]
    snoozed_until: UtcTime | None = None
    resolved_at: UtcTime | None
    value_at_stake: ValueAtStake | None
    renewal_at: UtcTime | None
    score: Percent
    confidence: Annotated[float, Meta(ge=0, le=1)]
    scorecard_version: Annotated[int, Meta(ge=1)]
    drivers: list[Driver]
    suggested_play: Annotated[str, Meta(description="The play that this kind of alert calls for")]
    links: AlertLinks


class AlertOpened(AlertState, frozen=True, kw_only=True):
    """An account needs attention: a new alert."""

    topic: ClassVar[str] = "account-alerts"
    event_type: ClassVar[str] = "account.alert.opened.v1"


class AlertUpdated(AlertState, frozen=True, kw_only=True):
    """A reason joined, left or fired again, or the severity, assignee or snooze changed."""

    topic: ClassVar[str] = "account-alerts"
    event_type: ClassVar[str] = "account.alert.updated.v1"


class AlertAcknowledged(AlertState, frozen=True, kw_only=True):
    """A person has seen the alert."""

    topic: ClassVar[str] = "account-alerts"
    event_type: ClassVar[str] = "account.alert.acknowledged.v1"


class AlertSnoozed(AlertState, frozen=True, kw_only=True):
    """A person asked for quiet until a time."""

    topic: ClassVar[str] = "account-alerts"
    event_type: ClassVar[str] = "account.alert.snoozed.v1"


class AlertResolved(AlertState, frozen=True, kw_only=True):
    """The last reason cleared, or a person resolved the alert."""

    topic: ClassVar[str] = "account-alerts"
    event_type: ClassVar[str] = "account.alert.resolved.v1"


class AlertReopened(AlertState, frozen=True, kw_only=True):
    """The alert fired again within its cool-down: the same alert, the next episode."""

    topic: ClassVar[str] = "account-alerts"
    event_type: ClassVar[str] = "account.alert.reopened.v1"


class StormHeld(Payload, frozen=True, kw_only=True):
    """Alerts of a tenant are held back until a person releases or discards them. Keyed by storm, not by account."""

    topic: ClassVar[str] = "account-alerts"
    event_type: ClassVar[str] = "scoring.storm.held.v1"

    storm_id: UUID
    cause: Annotated[str, Meta(description="burst (too many at once) or silence (of a source); may grow")]
    began_at: UtcTime


PUBLISHED: tuple[type[Payload], ...] = (
    HealthChanged,
    AlertOpened,
    AlertUpdated,
    AlertAcknowledged,
    AlertSnoozed,
    AlertResolved,
    AlertReopened,
    StormHeld,
)
