"""All SQL of measures: counting evidence and response times of one account and period."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

_MEASURED = text("""
    SELECT EXISTS (SELECT FROM account WHERE tenant = :tenant AND account_id = :account_id) AS known,
           r.n, r.median_seconds, coalesce(k.kinds, '[]') AS kinds
    FROM (
        SELECT count(*) AS n,
               percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM closed_at - opened_at)) AS median_seconds
        FROM expectation
        WHERE tenant = :tenant AND account_id = :account_id AND closed_at >= :since AND closed_at < :until
    ) AS r, (
        SELECT jsonb_agg(to_jsonb(counted) ORDER BY kind) AS kinds FROM (
            SELECT kind, family, polarity, count(*) AS n, sum(magnitude) AS magnitude FROM evidence
            WHERE tenant = :tenant AND account_id = :account_id AND retracted_for IS NULL
              AND observed_at >= :since AND observed_at < :until
            GROUP BY kind, family, polarity
        ) AS counted
    ) AS k
""")


async def measured(session: AsyncSession, tenant: str, account_id: UUID, since: datetime, until: datetime) -> Row[Any]:
    """Of one account and period: the standing evidence by kind, and how many asks a reply settled after which time.

    ``known`` says whether the account is.
    """
    given = {"tenant": tenant, "account_id": account_id, "since": since, "until": until}
    return (await session.execute(_MEASURED, given)).one()
