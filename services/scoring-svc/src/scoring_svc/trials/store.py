"""The SQL of trials: a page of accounts with all their evidence."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from bellwether_kit.db import array
from scoring_svc.trials.rules import Seen

_PAGE = text("""
    SELECT CAST(h.account_id AS text) FROM account_health AS h LEFT JOIN account AS a USING (tenant, account_id)
    WHERE h.tenant = :tenant AND h.evaluated_at IS NOT NULL AND h.account_id > :after AND a.removed IS NOT TRUE
    ORDER BY h.account_id LIMIT :limit
""")
_EVIDENCE = text("""
    SELECT CAST(account_id AS text), CAST(evidence_id AS text), kind, dimension, magnitude,
           CAST(extract(epoch FROM observed_at) AS float8)
    FROM evidence
    WHERE tenant = :tenant AND account_id = ANY(CAST(:ids AS uuid[])) AND NOT retracted AND observed_at <= :until
""")


async def page(session: AsyncSession, tenant: str, after: UUID, limit: int) -> list[str]:
    """The ids of the next accounts that have a health."""
    found = await session.execute(_PAGE, {"tenant": tenant, "after": after, "limit": limit})
    return [account_id for (account_id,) in found]


async def evidence(session: AsyncSession, tenant: str, ids: Collection[str], until: datetime) -> dict[str, list[Seen]]:
    """All that was observed of these accounts until then, by account."""
    found: dict[str, list[Seen]] = {id_: [] for id_ in ids}
    if ids:
        given = {"tenant": tenant, "ids": array(list(ids)), "until": until}
        for account_id, *seen in await session.execute(_EVIDENCE, given):
            found[account_id].append(Seen(*seen))
    return found
