"""All SQL of overrides. Whoever changes one holds the lock of its account."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bellwether_kit.db import arrays
from scoring_svc.overrides.rules import Override
from scoring_svc.overrides.tables import OverrideRow

_END = text("""
    UPDATE health_override o SET ended_at = :now, ended_by = :by
    FROM unnest(CAST(:tenant AS text[]), CAST(:id AS uuid[])) AS e(tenant, id)
    WHERE o.tenant = e.tenant AND o.id = e.id AND o.ended_at IS NULL
""")
_ADD = text("""
    INSERT INTO health_override (tenant, id, account_id, score, band, reason, author, set_at, expires_at)
    VALUES (:tenant, :id, :account_id, :score, :band, :reason, :author, :set_at, :expires_at)
""")


async def add(session: AsyncSession, tenant: str, account_id: UUID, override: Override) -> None:
    """Put an override in force; the account must have none."""
    values = {name: getattr(override, name) for name in Override.__slots__}
    await session.execute(_ADD, {**values, "tenant": tenant, "account_id": account_id})


async def end(session: AsyncSession, ended: Iterable[tuple[str, Override]], now: datetime, by: str) -> None:
    """End overrides, each given with its tenant, in one statement; they stay on the list."""
    columns = arrays("tenant id", [(tenant, override.id) for tenant, override in ended])
    await session.execute(_END, {**columns, "now": now, "by": by})


async def listed(
    session: AsyncSession, tenant: str, account_id: UUID, after: tuple[datetime, UUID] | None, limit: int
) -> Sequence[OverrideRow]:
    """Every override there was of an account, the newest first, from after a place in the list on."""
    at, id_ = col(OverrideRow.set_at), col(OverrideRow.id)
    query = select(OverrideRow).where(OverrideRow.tenant == tenant, OverrideRow.account_id == account_id)
    if after is not None:
        query = query.where(tuple_(at, id_) < after)
    return (await session.scalars(query.order_by(at.desc(), id_.desc()).limit(limit))).all()
