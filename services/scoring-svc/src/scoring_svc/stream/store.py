"""The SQL of the stream. A cursor over times would miss what commits late, so it goes by transactions that are over."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from scoring_svc.stream.rules import Place

_NOW = text("SELECT CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint)")
_AFTER = text("""
    SELECT xact, alert_id, version, at, change, by, detail FROM alert_change AS c
    WHERE tenant = :tenant AND (xact, alert_id, version) > (:xact, :alert_id, :version)
        AND xact < CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint)
        AND NOT EXISTS (
            SELECT FROM held_alert AS h
            WHERE h.tenant = c.tenant AND h.alert_id = c.alert_id AND h.held_at <= c.at
        )
    ORDER BY xact, alert_id, version LIMIT :limit
""")


async def present(session: AsyncSession) -> Place:
    """The place after which everything lies that is not committed yet."""
    return Place(int((await session.execute(_NOW)).scalar_one()))


async def after(session: AsyncSession, tenant: str, place: Place, limit: int) -> Sequence[Row[Any]]:
    """The changes of the tenant's alerts after a place, in the order of places; of held alerts only those of before."""
    where = {"xact": place.xact, "alert_id": place.alert_id, "version": place.version}
    return (await session.execute(_AFTER, {"tenant": tenant, "limit": limit, **where})).all()
