"""What stakeholder-svc says: the definition of the contracts of topic `stakeholders`. People are opaque ids."""

from typing import Annotated, ClassVar, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from bellwether_kit.events import Payload, UtcTime

Mark = Annotated[int, Meta(ge=1, le=5)]
Share = Annotated[float, Meta(ge=0, le=100, description="0 to 100")]
Version = Annotated[
    int, Meta(ge=1, description="Counts the person's changes without gaps; equals the event's sequence")
]


class ExternalId(msgspec.Struct, frozen=True, kw_only=True):
    """The person's name in a source system."""

    source: str
    external_id: str


class StakeholderChanged(Payload, frozen=True, kw_only=True):
    """The whole state of a person that others need, after each change; keyed by the person."""

    topic: ClassVar[str] = "stakeholders"
    event_type: ClassVar[str] = "stakeholder.profile.changed.v1"

    stakeholder_id: UUID
    account_id: UUID
    external_ids: list[ExternalId]
    decision_roles: Annotated[
        list[str], Meta(description="economic, technical, user, purchaser, legal, sponsor; may grow")
    ]
    veto: bool
    sentiment: Annotated[str, Meta(description="champion, supporter, neutral, detractor; may grow")]
    status: Literal["active", "gone"]
    power: Annotated[Mark | None, Meta(description="1 low to 5 high; null: not marked")]
    version: Version


class StakeholderRemoved(Payload, frozen=True, kw_only=True):
    """A person was erased; a tombstone for the key follows."""

    topic: ClassVar[str] = "stakeholders"
    event_type: ClassVar[str] = "stakeholder.profile.removed.v1"

    stakeholder_id: UUID
    account_id: UUID
    version: Version
    reason: Annotated[str, Meta(min_length=1, max_length=200, description="erased, account-removed; may grow")]


class CoverageChanged(Payload, frozen=True, kw_only=True):
    """How well an account's required decision roles are covered; keyed by the account, said when it changes.

    An account of which we never knew anybody is not spoken of: that is missing knowledge, not bad coverage.
    """

    topic: ClassVar[str] = "stakeholders"
    event_type: ClassVar[str] = "stakeholder.coverage.changed.v1"

    account_id: UUID
    coverage: Annotated[float, Meta(ge=0, le=100, description="0 to 100")]
    missing_roles: Annotated[list[str], Meta(description="Required decision roles that no active person has")]
    people: Annotated[int, Meta(ge=0, description="Active people")]
    assessed_at: UtcTime
    thread_share: Annotated[
        Share | None, Meta(description="Of the influence in our reach, what one of ours holds alone; null: no reach")
    ] = None


PUBLISHED: tuple[type[Payload], ...] = (StakeholderChanged, StakeholderRemoved, CoverageChanged)
