"""The SQL of explanations of the past: what an account was said to be then, and what a person said of it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

_THEN = text("""
    SELECT scorecard, scorecard_version, measures, caps FROM health_history
    WHERE tenant = :tenant AND account_id = :account_id AND at <= :at ORDER BY at DESC LIMIT 1
""")
_OVERRIDE = text("""
    SELECT score, band, reason, author, set_at, expires_at FROM health_override
    WHERE tenant = :tenant AND account_id = :account_id AND set_at <= :at AND expires_at > :at
      AND (ended_at IS NULL OR ended_at > :at)
    ORDER BY set_at DESC, id DESC LIMIT 1
""")


async def then(session: AsyncSession, tenant: str, account_id: UUID, at: datetime) -> Row[Any] | None:
    """By which scorecard, from which measures and under which caps an account was evaluated last at a moment."""
    given = {"tenant": tenant, "account_id": account_id, "at": at}
    return (await session.execute(_THEN, given)).one_or_none()


async def override(session: AsyncSession, tenant: str, account_id: UUID, at: datetime) -> Row[Any] | None:
    """The override that was in force at a moment, if any."""
    given = {"tenant": tenant, "account_id": account_id, "at": at}
    return (await session.execute(_OVERRIDE, given)).one_or_none()
