"""What stakeholder-svc hears: only the fields it uses, so that producers may add others freely."""

from uuid import UUID

import msgspec


class ExternalId(msgspec.Struct, frozen=True, kw_only=True):
    """An account's name in a source system."""

    source: str
    external_id: str


class AccountChanged(msgspec.Struct, frozen=True, kw_only=True):
    """The state of an account."""

    account_id: UUID
    name: str
    version: int
    external_ids: list[ExternalId] = []


class AccountRemoved(msgspec.Struct, frozen=True, kw_only=True):
    """An account that is no more."""

    account_id: UUID
    version: int
