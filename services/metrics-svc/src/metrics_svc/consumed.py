"""What metrics-svc hears: only the fields it uses, of topics ``accounts`` and ``stakeholders``."""

from uuid import UUID

import msgspec


class ExternalId(msgspec.Struct, frozen=True, kw_only=True):
    """A name in a source system."""

    source: str
    external_id: str


class AccountChanged(msgspec.Struct, frozen=True, kw_only=True):
    """An account as it is now."""

    account_id: UUID
    version: int
    name: str | None = None
    tier: str | None = None
    territory: str | None = None
    owner_id: UUID | None = None
    cadence_days: float | None = None
    country: str | None = None
    external_ids: list[ExternalId] = []
    email_domains: list[str] = []


class AccountRemoved(msgspec.Struct, frozen=True, kw_only=True):
    """An account is gone."""

    account_id: UUID
    version: int


class StakeholderChanged(msgspec.Struct, frozen=True, kw_only=True):
    """A person as they are now."""

    stakeholder_id: UUID
    account_id: UUID
    external_ids: list[ExternalId] = []


class StakeholderRemoved(msgspec.Struct, frozen=True, kw_only=True):
    """A person was erased."""

    stakeholder_id: UUID
