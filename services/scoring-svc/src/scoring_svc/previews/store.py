"""The SQL that reads the past of a page of accounts: who they are, their health history, their evidence."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from scoring_svc.health.rules import ENGAGEMENT
from scoring_svc.patterns.rules import DAYS_KEPT
from scoring_svc.previews.rules import PAST_DAYS, Moment, Past, Seen
from scoring_svc.scorecards.rules import DIMENSIONS, cadence_days

_ACCOUNTS = text("""
    SELECT h.account_id, a.name, a.tier, a.value_amount, CAST(extract(epoch FROM a.renewal_at) AS float8) AS renewal,
           a.cadence_days, a.whitespace
    FROM account_health h LEFT JOIN account a USING (tenant, account_id)
    WHERE h.tenant = :tenant AND h.evaluated_at IS NOT NULL AND h.account_id > :after
    ORDER BY h.account_id LIMIT :limit
""")
# The entries since then, and the last one before, which still held.
_HISTORY = text("""
    SELECT k.account_id, CAST(extract(epoch FROM h.at) AS float8), h.score, h.confidence,
           h.measures[:mind], h.measures[:engagement]
    FROM unnest(CAST(:ids AS uuid[])) AS k(account_id)
    CROSS JOIN LATERAL (
        (SELECT at, score, confidence, measures FROM health_history
         WHERE tenant = :tenant AND account_id = k.account_id AND at < :since ORDER BY at DESC LIMIT 1)
        UNION ALL
        SELECT at, score, confidence, measures FROM health_history
        WHERE tenant = :tenant AND account_id = k.account_id AND at >= :since AND at <= :now
    ) AS h
    ORDER BY k.account_id, h.at
""")
_EVIDENCE = text("""
    SELECT account_id, CAST(extract(epoch FROM observed_at) AS float8), kind, weight < 0 FROM evidence
    WHERE tenant = :tenant AND account_id = ANY(CAST(:ids AS uuid[])) AND NOT retracted AND weight <> 0
      AND observed_at >= CAST(:now AS timestamptz) - make_interval(days => :days) AND observed_at <= :now
    ORDER BY account_id, observed_at, evidence_id
""")


async def accounts(session: AsyncSession, tenant: str, *, after: UUID, limit: int) -> Sequence[Row[Any]]:
    """The accounts of the tenant that have a health, by id, after one."""
    return (await session.execute(_ACCOUNTS, {"tenant": tenant, "after": after, "limit": limit})).all()


async def pasts(
    session: AsyncSession, tenant: str, found: Sequence[Row[Any]], *, since: datetime, now: datetime
) -> dict[UUID, Past]:
    """The pasts of these accounts: health from `since` on, evidence as far back as any rule looks."""
    ids = [row.account_id for row in found]
    given = {"tenant": tenant, "ids": ids, "now": now}
    places = {"mind": DIMENSIONS.index("mind") + 1, "engagement": ENGAGEMENT + 1}
    moments: dict[UUID, list[Moment]] = {id_: [] for id_ in ids}
    for account_id, *moment in await session.execute(_HISTORY, {**given, **places, "since": since}):
        moments[account_id].append(Moment(*moment))
    evidence: dict[UUID, list[Seen]] = {id_: [] for id_ in ids}
    for account_id, *seen in await session.execute(_EVIDENCE, {**given, "days": DAYS_KEPT + PAST_DAYS}):
        evidence[account_id].append(Seen(*seen))
    return {
        row.account_id: Past(
            moments[row.account_id],
            evidence[row.account_id],
            tier=row.tier,
            value=row.value_amount,
            renewal_at=row.renewal,
            cadence_days=cadence_days(row.tier, row.cadence_days),
            whitespace=row.whitespace,
        )
        for row in found
    }
