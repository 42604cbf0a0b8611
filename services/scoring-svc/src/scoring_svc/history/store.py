"""All SQL of the past: points of health, each or the last of a day or week; what happened; what people set beside."""

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
               measures, uncapped_score, caps
        FROM health_history
        WHERE tenant = :tenant AND account_id = :account_id AND at <= :until
          AND (CAST(:since AS timestamptz) IS NULL OR at >= :since)
          AND (CAST(:before AS timestamptz) IS NULL OR at < :before)
        ORDER BY {bucket} DESC, at DESC LIMIT :limit
    """)
    for interval, bucket in _BUCKETS.items()
}
# History is looked at from the point before the span on, against which the span's first point is held.
_MARKS = text("""
    WITH told AS (
        SELECT at, scorecard, scorecard_version, caps, lag(at) OVER w AS earlier, lag(scorecard) OVER w AS card_before,
               lag(scorecard_version) OVER w AS version_before, coalesce(lag(caps) OVER w, '{}') AS caps_before
        FROM health_history
        WHERE tenant = :tenant AND account_id = :account_id AND at <= :until
          AND (CAST(:before AS timestamptz) IS NULL OR at < :before)
          AND (CAST(:since AS timestamptz) IS NULL OR at >= coalesce(
              (SELECT max(at) FROM health_history
               WHERE tenant = :tenant AND account_id = :account_id AND at < CAST(:since AS timestamptz)),
              CAST(:since AS timestamptz)))
        WINDOW w AS (ORDER BY at)
    ), said AS (
        SELECT id, set_at, least(ended_at, expires_at) AS ends_at, coalesce('score ' || score, 'band ' || band) AS about
        FROM health_override WHERE tenant = :tenant AND account_id = :account_id
    )
    SELECT at, kind, alert_id, override_id, about FROM (
        SELECT at, 'scorecard' AS kind, CAST(NULL AS uuid) AS alert_id, CAST(NULL AS uuid) AS override_id,
               scorecard || ' ' || scorecard_version AS about
        FROM told WHERE earlier IS NOT NULL AND (card_before, version_before) <> (scorecard, scorecard_version)
        UNION ALL
        SELECT at, 'cap-began', NULL, NULL, cap FROM told, unnest(caps) AS cap WHERE cap <> ALL (caps_before)
        UNION ALL
        SELECT at, 'cap-ended', NULL, NULL, cap FROM told, unnest(caps_before) AS cap WHERE cap <> ALL (caps)
        UNION ALL
        SELECT set_at, 'override-set', NULL, id, about FROM said
        UNION ALL
        SELECT ends_at, 'override-ended', NULL, id, about FROM said WHERE ends_at <= :now
        UNION ALL
        SELECT c.at, c.change, a.id, NULL, a.kind
        FROM alert AS a JOIN alert_change AS c ON c.tenant = a.tenant AND c.alert_id = a.id
        WHERE a.tenant = :tenant AND a.account_id = :account_id AND c.change IN ('opened', 'reopened', 'resolved')
    ) AS marks
    WHERE at <= :until AND (CAST(:since AS timestamptz) IS NULL OR at >= :since)
      AND (CAST(:before AS timestamptz) IS NULL OR at < :before)
    ORDER BY at DESC, kind DESC, alert_id, override_id, about LIMIT :limit
""")
_SET = text("""
    SELECT * FROM (
        SELECT id, score, band, reason, author, set_at, least(ended_at, expires_at) AS ends_at
        FROM health_override WHERE tenant = :tenant AND account_id = :account_id AND set_at <= :until
    ) AS said
    WHERE (CAST(:since AS timestamptz) IS NULL OR ends_at > :since)
      AND (CAST(:before AS timestamptz) IS NULL OR set_at < :before)
    ORDER BY set_at DESC, id DESC LIMIT :limit
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
    now: datetime,
    *,
    since: datetime | None,
    until: datetime,
    before: datetime | None = None,
) -> Sequence[Row[Any]]:
    """What happened then, newest first; 500 at most.

    Another scorecard; caps that began and ended; overrides set and ended, by `now`; alerts opened, reopened, resolved.
    """
    given = {"tenant": tenant, "account_id": account_id, "since": since, "until": until, "before": before}
    return (await session.execute(_MARKS, given | {"now": now, "limit": MARKS_SHOWN})).all()


async def overrides(
    session: AsyncSession,
    tenant: str,
    account_id: UUID,
    *,
    since: datetime | None,
    until: datetime,
    before: datetime | None = None,
) -> Sequence[Row[Any]]:
    """What people set that was in force at any time of the span, newest first; 500 at most."""
    given = {"tenant": tenant, "account_id": account_id, "since": since, "until": until, "before": before}
    return (await session.execute(_SET, given | {"limit": MARKS_SHOWN})).all()


async def last_before(session: AsyncSession, tenant: str, account_id: UUID, since: datetime) -> Row[Any] | None:
    """How health was when a span began, or None when nothing was known yet."""
    given = {"tenant": tenant, "account_id": account_id, "since": since}
    return (await session.execute(_LAST_BEFORE, given)).one_or_none()


async def name(session: AsyncSession, tenant: str, account_id: UUID) -> str | None:
    """What the account is called, as far as it was told."""
    return (await session.execute(_NAME, {"tenant": tenant, "account_id": account_id})).scalar_one_or_none()
