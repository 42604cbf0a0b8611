"""All SQL of roll-up: an account with all below it, and the policy in force."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bellwether_kit.db import one_at_a_time
from scoring_svc.rollup.tables import RollUpPolicyRow

# Hierarchies are a few levels deep; what is deeper is a mistake in the source and is left out.
DEEPEST: Final = 20

# CYCLE keeps a circle of parents from going on for ever; who is met twice counts once, where it is nearest.
_GROUP = text("""
    WITH RECURSIVE below AS (
        SELECT CAST(:account_id AS uuid) AS account_id, 0 AS depth
        UNION ALL
        SELECT a.account_id, b.depth + 1
        FROM below AS b JOIN account AS a ON a.tenant = :tenant AND a.parent_id = b.account_id AND NOT a.removed
        WHERE b.depth < :deepest
    ) CYCLE account_id SET looped USING path
    SELECT b.account_id, a.name, a.parent_id, b.depth, h.score, h.band, coalesce(a.value_amount, 0) AS value,
           o.score AS said_score, o.band AS said_band
    FROM (SELECT account_id, min(depth) AS depth FROM below WHERE NOT looped GROUP BY account_id) AS b
    LEFT JOIN account AS a ON a.tenant = :tenant AND a.account_id = b.account_id
    LEFT JOIN account_health AS h ON h.tenant = :tenant AND h.account_id = b.account_id AND h.score IS NOT NULL
    LEFT JOIN health_override AS o ON o.tenant = :tenant AND o.account_id = b.account_id
        AND o.ended_at IS NULL AND o.expires_at > :now
    WHERE CAST(:depth AS integer) IS NULL OR (b.depth, b.account_id) > (:depth, CAST(:after AS uuid))
    ORDER BY b.depth, b.account_id LIMIT :limit
""")


async def group(
    session: AsyncSession,
    tenant: str,
    account_id: UUID,
    now: datetime,
    *,
    after: Sequence[Any] | None = None,
    limit: int | None = None,
) -> Sequence[Row[Any]]:
    """The account (depth 0) and all below it, nearest first, each once, after a place (depth and id).

    With what a person says of each at `now`, if anybody does.
    """
    depth, last = (None, None) if after is None else after
    given = {"tenant": tenant, "account_id": account_id, "now": now, "depth": depth, "after": last, "limit": limit}
    return (await session.execute(_GROUP, given | {"deepest": DEEPEST})).all()


async def versions(session: AsyncSession, tenant: str) -> Sequence[RollUpPolicyRow]:
    """Every policy there was, newest first; none: the default holds."""
    query = select(RollUpPolicyRow).where(RollUpPolicyRow.tenant == tenant)
    return (await session.scalars(query.order_by(col(RollUpPolicyRow.version).desc()))).all()


async def lock(session: AsyncSession, tenant: str) -> None:
    """Let one change of the policy follow the other, also the first, for which there is no row to lock."""
    await one_at_a_time(session, f"roll-up/{tenant}")
