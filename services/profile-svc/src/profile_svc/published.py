"""What profile-svc says: the definition of the contracts of topic ``accounts``. People are opaque ids."""

from datetime import date
from typing import Annotated, ClassVar, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from bellwether_kit.events import Payload, UtcTime

Country = Annotated[str, Meta(pattern="^[A-Z]{2}$", description="ISO 3166-1 alpha-2")]
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$", description="ISO 4217")]
Version = Annotated[int, Meta(ge=1, description="Counts the changes without gaps; equals the sequence")]


class ExternalId(msgspec.Struct, frozen=True, kw_only=True):
    """The account's name in a source system."""

    source: str
    external_id: str


class Money(msgspec.Struct, frozen=True, kw_only=True):
    """An amount in a currency."""

    amount: float
    currency: Currency


class AccountChanged(Payload, frozen=True, kw_only=True):
    """The whole state of an account that others need, after each change."""

    topic: ClassVar[str] = "accounts"
    event_type: ClassVar[str] = "account.profile.changed.v1"

    account_id: UUID
    name: Annotated[str, Meta(min_length=1, max_length=200)]
    status: Literal["prospect", "active", "inactive"]
    account_type: Annotated[str, Meta(description="standard, key, strategic; may grow")] = "standard"
    tier: Annotated[Literal["A", "B", "C"], Meta(description="Attention it gets; null: not decided")] | None
    industry: str | None
    territory: str | None
    country: Country | None
    currency: Currency | None
    parent_id: UUID | None
    owner_id: Annotated[UUID, Meta(description="Our user: UUIDv5 of tenant and lower-case e-mail")] | None
    cadence_days: Annotated[float, Meta(gt=0, description="Longest gap between contacts as expected")] | None
    contract_start: date | None
    contract_end: date | None
    renewal_at: UtcTime | None
    value: Annotated[Money, Meta(description="Yearly value at stake")] | None
    external_ids: list[ExternalId]
    email_domains: Annotated[list[str], Meta(description="Lower case, without @")]
    known_since: UtcTime
    version: Version
    whitespace: Annotated[Money | None, Meta(description="What it could buy in a year and does not yet")] = None


class AccountRemoved(Payload, frozen=True, kw_only=True):
    """The account is gone; a tombstone for its key follows."""

    topic: ClassVar[str] = "accounts"
    event_type: ClassVar[str] = "account.profile.removed.v1"

    account_id: UUID
    version: Version
    reason: Annotated[str, Meta(min_length=1, max_length=200)]


PUBLISHED: tuple[type[Payload], ...] = (AccountChanged, AccountRemoved)
