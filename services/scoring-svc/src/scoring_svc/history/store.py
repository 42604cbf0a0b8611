"""All SQL of the past: points of health, each or the last of a day or week, and what happened on the way."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

MARKS_SHOWN: Final = 500

_BUCKETS: Final = {
    "all": "at",
    "day": "date_trunc('day', at, 'UTC')",
    "week": "date_trunc('week', at, 'UTC')",
}
_POINTS = {
    interval: text(f"""
        SELECT DISTINCT ON ({bucket}) {bucket} AS bucket, at, score, band, confidence, scorecard, scorecard_version,
               measures
        FROM health_history
        WHERE tenant = :tenant AND account_id = :account_id AND at <= :until
          AND (CAST(:since AS timestamptz) IS NULL OR at >= :since)
          AND (CAST(:before AS timestamptz) IS NULL OR at < :before)
        ORDER BY {bucket} DESC, at DESC LIMIT :limit
    """)
    for interval, bucket in _BUCKETS.items()
}
_MARKS = text("""
    SELECT at, kind, alert_id, about FROM (
        SELECT at, 'scorecard' AS kind, CAST(NULL AS uuid) AS alert_id, scorecard || ' ' || scorecard_version AS about
        FROM (
            SELECT at, scorecard, scorecard_version,
                   lag(ROW(scorecard, scorecard_version)) OVER (ORDER BY at)
                       <> ROW(scorecard, scorecard_version) AS other
            FROM health_history WHERE tenant = :tenant AND account_id = :account_id AND at <= :until
        ) AS versions WHERE other
        UNION ALL
        SELECT c.at, c.change, a.id, a.kind
        FROM alert AS a JOIN alert_change AS c ON c.tenant = a.tenant AND c.alert_id = a.id
        WHERE a.tenant = :tenant AND a.account_id = :account_id AND c.change IN ('opened', 'reopened', 'resolved')
    ) AS marks
    WHERE at <= :until AND (CAST(:since AS timestamptz) IS NULL OR at >= :since)
      AND (CAST(:before AS timestamptz) IS NULL OR at < :before)
    ORDER BY at DESC, kind, alert_id LIMIT :limit
""")
_LAST_BEFORE = text("""
    SELECT at, score, band FROM health_history
    WHERE tenant = :tenant AND account_id = :account_id AND at < :since ORDER BY at DESC LIMIT 1
""")
_NAME = text("SELECT name FROM account WHERE tenant = :tenant AND account_id = :account_id")


async def points(
    session: AsyncSession,
    tenant: str,
    account_id: UUID,
    interval: str,
    *,
    since: datetime | None,
    until: datetime,
    before: datetime | None = None,
    limit: int,
) -> Sequence[Row[Any]]:
    """Health in [since, until] and before `before`, newest first: at all changes, or the last of each day or week.

    Days and weeks are those of UTC; `bucket` is where the one of a point begins.
    """
    given = {"tenant": tenant, "account_id": account_id, "since": since, "until": until, "before": before}
    return (await session.execute(_POINTS[interval], given | {"limit": limit})).all()


async def marks(
    session: AsyncSession,
    tenant: str,
    account_id: UUID,
    *,
    since: datetime | None,
    until: datetime,
    before: datetime | None = None,
) -> Sequence[Row[Any]]:
    """What happened then, newest first: another scorecard, alerts opened, reopened and resolved; 500 at most."""
    given = {"tenant": tenant, "account_id": account_id, "since": since, "until": until, "before": before}
    return (await session.execute(_MARKS, given | {"limit": MARKS_SHOWN})).all()


async def last_before(session: AsyncSession, tenant: str, account_id: UUID, since: datetime) -> Row[Any] | None:
    """How health was when a span began, or None when nothing was known yet."""
    given = {"tenant": tenant, "account_id": account_id, "since": since}
    return (await session.execute(_LAST_BEFORE, given)).one_or_none()


async def name(session: AsyncSession, tenant: str, account_id: UUID) -> str | None:
    """What the account is called, as far as it was told."""
    return (await session.execute(_NAME, {"tenant": tenant, "account_id": account_id})).scalar_one_or_none()
