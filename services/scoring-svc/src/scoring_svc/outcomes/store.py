"""All SQL of outcomes. What is on record stays as it is: the same account, kind and day again changes nothing."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from bellwether_kit.db import arrays

_KNOWN = text("""
    SELECT account_id FROM account
    WHERE tenant = :tenant AND account_id = ANY(CAST(:ids AS uuid[])) AND NOT removed
""")
_ADD = text("""
    INSERT INTO outcome (tenant, account_id, kind, happened_on, author, recorded_at)
    SELECT :tenant, account_id, kind, happened_on, :author, :now
    FROM unnest(CAST(:account_id AS uuid[]), CAST(:kind AS text[]), CAST(:happened_on AS date[]))
        AS o(account_id, kind, happened_on)
    ORDER BY account_id, kind, happened_on
    ON CONFLICT DO NOTHING
    RETURNING account_id, kind, happened_on
""")
_LISTED = text("""
    SELECT account_id, kind, happened_on, author, recorded_at FROM outcome
    WHERE tenant = :tenant AND (CAST(:account AS uuid) IS NULL OR account_id = :account)
        AND (CAST(:of_kind AS text) IS NULL OR kind = :of_kind)
        AND (CAST(:day AS date) IS NULL OR (happened_on, account_id, kind) < (:day, CAST(:id AS uuid), :kind))
    ORDER BY happened_on DESC, account_id DESC, kind DESC LIMIT :limit
""")


class Outcome(NamedTuple):
    """What became of an account on a day (UTC)."""

    account_id: UUID
    kind: str
    happened_on: date


async def known(session: AsyncSession, tenant: str, ids: Collection[UUID]) -> set[UUID]:
    """Those of the ids that are accounts of the tenant."""
    return {row.account_id for row in await session.execute(_KNOWN, {"tenant": tenant, "ids": list(ids)})}


async def add(
    session: AsyncSession, tenant: str, outcomes: Collection[Outcome], *, author: str, now: datetime
) -> set[Outcome]:
    """Record outcomes and give those that were not on record."""
    given = {"tenant": tenant, "author": author, "now": now}
    rows = await session.execute(_ADD, {**arrays("account_id kind happened_on", set(outcomes)), **given})
    return {Outcome(*row) for row in rows}


async def listed(
    session: AsyncSession,
    tenant: str,
    *,
    account: UUID | None,
    kind: str | None,
    after: Sequence[Any] | None,
    limit: int,
) -> Sequence[Row[Any]]:
    """Outcomes after a place (day, account, kind), the latest first."""
    place: dict[str, Any] = {"day": None, "id": None, "kind": None}
    if after is not None:
        place = {"day": date.fromisoformat(after[0]), "id": after[1], "kind": after[2]}
    given = {"tenant": tenant, "account": account, "of_kind": kind, "limit": limit, **place}
    rows: Sequence[Row[Any]] = (await session.execute(_LISTED, given)).all()
    return rows
