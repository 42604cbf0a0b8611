"""What profile-svc hears: tolerant models with only the fields it uses; unknown fields are ignored."""

from datetime import datetime
from uuid import UUID

import msgspec


class HealthChanged(msgspec.Struct, frozen=True, kw_only=True):
    """``account.health.changed.v1``: the account's health was evaluated anew."""

    account_id: UUID
    score: float
    band: str
    sequence: int
    evaluated_at: datetime
