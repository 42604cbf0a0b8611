"""The SQL of explanations: the scorecard by which a score was made, and what a person said of it at the time."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from scoring_svc.scorecards.rules import DEFAULT, Scorecard
from scoring_svc.scorecards.store import from_row

_VERSION = text("SELECT configuration FROM scorecard WHERE tenant = :tenant AND name = :name AND version = :version")

_OVERRIDE = text("""
    SELECT score, band, reason, author, set_at, expires_at FROM health_override
    WHERE tenant = :tenant AND account_id = :account_id AND set_at <= :at AND expires_at > :at
      AND (ended_at IS NULL OR ended_at > :at)
    ORDER BY set_at DESC, id DESC LIMIT 1
""")


async def scorecard(session: AsyncSession, tenant: str, name: str, version: int) -> Scorecard:
    """The scorecard of that name and version; the built-in default is stored nowhere."""
    given = {"tenant": tenant, "name": name, "version": version}
    configuration = (await session.execute(_VERSION, given)).scalar_one_or_none()
    return DEFAULT if configuration is None else from_row(name, version, configuration)


async def override(session: AsyncSession, tenant: str, account_id: UUID, at: datetime) -> Row[Any] | None:
    """The override that was in force at a moment, if any."""
    given = {"tenant": tenant, "account_id": account_id, "at": at}
    return (await session.execute(_OVERRIDE, given)).one_or_none()
