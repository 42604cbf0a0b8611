"""The SQL of explanations: what a person said of a score at the time."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

_OVERRIDE = text("""
    SELECT score, band, reason, author, set_at, expires_at FROM health_override
    WHERE tenant = :tenant AND account_id = :account_id AND set_at <= :at AND expires_at > :at
      AND (ended_at IS NULL OR ended_at > :at)
    ORDER BY set_at DESC, id DESC LIMIT 1
""")


async def override(session: AsyncSession, tenant: str, account_id: UUID, at: datetime) -> Row[Any] | None:
    """The override that was in force at a moment, if any."""
    given = {"tenant": tenant, "account_id": account_id, "at": at}
    return (await session.execute(_OVERRIDE, given)).one_or_none()
