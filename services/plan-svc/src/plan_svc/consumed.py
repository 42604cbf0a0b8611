"""What plan-svc hears: only the fields it uses, so that producers may add others freely."""

from uuid import UUID

import msgspec


class AlertChanged(msgspec.Struct, frozen=True, kw_only=True):
    """An alert that opened, reopened or resolved; the envelope's type says which."""

    alert_id: UUID
    account_id: UUID
    owner_id: UUID | None = None
    suggested_play: str | None = None
    summary: str = ""


class AccountChanged(msgspec.Struct, frozen=True, kw_only=True):
    """The state of an account."""

    account_id: UUID
    name: str
    version: int
    owner_id: UUID | None = None
    tier: str | None = None


class AccountRemoved(msgspec.Struct, frozen=True, kw_only=True):
    """An account that is no more."""

    account_id: UUID
    version: int
