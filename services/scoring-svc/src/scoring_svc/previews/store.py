"""The SQL that reads the past of a page of accounts: who they are, their health, their evidence, people and plans."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from scoring_svc.health.rules import ENGAGEMENT
from scoring_svc.patterns.rules import DAYS_KEPT
from scoring_svc.previews.rules import PAST_DAYS, Moment, Past, Seen
from scoring_svc.scorecards.rules import DIMENSIONS, cadence_days
from scoring_svc.situation.rules import HISTORY_KEPT, Situation, late_since

_ACCOUNTS = text("""
    SELECT h.account_id, a.name, a.tier, a.value_amount, CAST(extract(epoch FROM a.renewal_at) AS float8) AS renewal,
           a.cadence_days, a.whitespace, a.industry, a.territory
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
# What stood at any time since then: what stands, and what was over later.
_SITUATIONS = text("""
    SELECT account_id, CAST(extract(epoch FROM at) AS float8) AS began, copied, champions, champions_lost,
           opposing_vetoes, thread_share, overdue
    FROM situation_history
    WHERE tenant = :tenant AND account_id = ANY(CAST(:ids AS uuid[])) AND at <= :now
        AND (forget_at IS NULL OR forget_at >= :forgotten_after)
    ORDER BY account_id, at
""")


async def accounts(session: AsyncSession, tenant: str, *, after: UUID, limit: int) -> Sequence[Row[Any]]:
    """The accounts of the tenant that have a health, by id, after one."""
    return (await session.execute(_ACCOUNTS, {"tenant": tenant, "after": after, "limit": limit})).all()


async def pasts(
    session: AsyncSession, tenant: str, found: Sequence[Row[Any]], *, since: datetime, now: datetime
) -> dict[UUID, Past]:
    """The pasts of these accounts: health and situations from `since` on, evidence as far back as any rule looks."""
    ids = [row.account_id for row in found]
    given = {"tenant": tenant, "ids": ids, "now": now}
    places = {"mind": DIMENSIONS.index("mind") + 1, "engagement": ENGAGEMENT + 1}
    moments: dict[UUID, list[Moment]] = {id_: [] for id_ in ids}
    for account_id, *moment in await session.execute(_HISTORY, {**given, **places, "since": since}):
        moments[account_id].append(Moment(*moment))
    evidence: dict[UUID, list[Seen]] = {id_: [] for id_ in ids}
    for account_id, *seen in await session.execute(_EVIDENCE, {**given, "days": DAYS_KEPT + PAST_DAYS}):
        evidence[account_id].append(Seen(*seen))
    situations, known_from = await _situations(session, given, since)
    return {
        row.account_id: Past(
            moments[row.account_id],
            evidence[row.account_id],
            tier=row.tier,
            value=row.value_amount,
            renewal_at=row.renewal,
            cadence_days=cadence_days(row.tier, row.cadence_days),
            whitespace=row.whitespace,
            situations=situations[row.account_id],
            known_from=known_from.get(row.account_id),
            industry=row.industry,
            territory=row.territory,
        )
        for row in found
    }


async def _situations(
    session: AsyncSession, given: Mapping[str, Any], since: datetime
) -> tuple[dict[UUID, list[tuple[float, Situation]]], dict[UUID, float]]:
    """What was known of people and plans, and from when on where that is not from the beginning."""
    found: dict[UUID, list[tuple[float, Situation]]] = {id_: [] for id_ in given["ids"]}
    known_from: dict[UUID, float] = {}
    for row in await session.execute(_SITUATIONS, {**given, "forgotten_after": since + HISTORY_KEPT}):
        late = [late_since(day) for day in row.overdue]
        stood = Situation(row.champions, row.champions_lost, row.opposing_vetoes, row.thread_share, late)
        found[row.account_id].append((row.began, stood))
        if row.copied:
            known_from[row.account_id] = row.began
    return found, known_from
