"""All SQL of measures: counting evidence and response times of one account and period."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

_COUNTS = text("""
    SELECT kind, family, polarity, count(*) AS n, sum(magnitude) AS magnitude FROM evidence
    WHERE tenant = :tenant AND account_id = :account_id AND retracted_for IS NULL
      AND observed_at >= :since AND observed_at < :until
    GROUP BY kind, family, polarity ORDER BY kind
""")

_RESPONSES = text("""
    SELECT EXISTS (SELECT FROM account WHERE tenant = :tenant AND account_id = :account_id) AS known, count(*) AS n,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM closed_at - opened_at)) AS median_seconds
    FROM expectation
    WHERE tenant = :tenant AND account_id = :account_id AND closed_at >= :since AND closed_at < :until
""")


async def counts(
    session: AsyncSession, tenant: str, account_id: UUID, since: datetime, until: datetime
) -> Sequence[Row[Any]]:
    """Standing evidence observed within a period, by kind."""
    given = {"tenant": tenant, "account_id": account_id, "since": since, "until": until}
    return (await session.execute(_COUNTS, given)).all()


async def responses(session: AsyncSession, tenant: str, account_id: UUID, since: datetime, until: datetime) -> Row[Any]:
    """How many expectations a reply settled in a period, the median time it took, and whether the account is known."""
    given = {"tenant": tenant, "account_id": account_id, "since": since, "until": until}
    return (await session.execute(_RESPONSES, given)).one()
