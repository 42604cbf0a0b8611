"""The SQL of what is heard from sources, cheap enough for every request that brings something."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from bellwether_kit.db import UnitOfWork
from bellwether_kit.events import Event
from metrics_svc.published import SourceFeedResumed
from metrics_svc.sources.rules import GAPS_KEPT, LOOK_AGAIN, SHORTEST_GAP

DAYS_SHOWN, DAYS_KEPT = 14, 400
_STRIPES = 16

# A source heard a moment ago is only looked at: its row would be the one that all requests wait for.
_HEARD = text(f"""
    WITH heard AS (
        SELECT * FROM unnest(CAST(:sources AS text[]), CAST(:counts AS bigint[])) AS told(source, activities)
    ), counted AS (
        INSERT INTO source_day AS kept (tenant, source, day, stripe, activities)
        SELECT :tenant, source, CAST(:now AS timestamptz)::date, pg_backend_pid() % {_STRIPES}, activities
        FROM heard WHERE activities > 0 ORDER BY source
        ON CONFLICT (tenant, source, day, stripe) DO UPDATE SET activities = kept.activities + EXCLUDED.activities
    )
    INSERT INTO source_feed AS kept (tenant, source, first_heard_at, last_heard_at, arrivals, due_at)
    SELECT :tenant, source, :now, :now, ARRAY[CAST(:now AS timestamptz)], :look_at
    FROM heard WHERE NOT EXISTS (
        SELECT FROM source_feed AS fresh
        WHERE fresh.tenant = :tenant AND fresh.source = heard.source AND fresh.last_heard_at > :fresh
    )
    ORDER BY source
    ON CONFLICT (tenant, source) DO UPDATE
    SET last_heard_at = EXCLUDED.last_heard_at,
        arrivals = (kept.arrivals || EXCLUDED.last_heard_at)
                   [greatest(1, cardinality(kept.arrivals) + 1 - {GAPS_KEPT}):],
        silent_since = NULL,
        due_at = CASE WHEN kept.silent_since IS NULL THEN kept.due_at ELSE EXCLUDED.due_at END
    WHERE kept.last_heard_at <= :fresh
    RETURNING NEW.source AS source, OLD.silent_since AS silent_since
""")

_LISTED = text("""
    SELECT f.*, (
        SELECT coalesce(jsonb_object_agg(day, total), '{}') FROM (
            SELECT day, sum(activities) AS total FROM source_day AS d
            WHERE d.tenant = f.tenant AND d.source = f.source AND d.day > :since GROUP BY day
        ) AS days
    ) AS activities_by_day
    FROM source_feed AS f WHERE f.tenant = :tenant AND f.source > :after ORDER BY f.source LIMIT :limit
""")

_SETTLE = text("""
    UPDATE source_feed AS kept SET silent_since = seen.silent_since, due_at = seen.due_at
    FROM unnest(CAST(:tenants AS text[]), CAST(:sources AS text[]),
                CAST(:silences AS timestamptz[]), CAST(:times AS timestamptz[]))
         AS seen(tenant, source, silent_since, due_at)
    WHERE kept.tenant = seen.tenant AND kept.source = seen.source
""")

_FORGET = text("""
    DELETE FROM source_day AS d USING unnest(CAST(:tenants AS text[]), CAST(:sources AS text[])) AS seen(tenant, source)
    WHERE d.tenant = seen.tenant AND d.source = seen.source AND d.day < :since
""")


async def heard(uow: UnitOfWork, tenant: str, activities: Mapping[str, int]) -> None:
    """Note that sources were heard from, with how many activities; one that was silent is said to be back.

    One statement, and most of the time one small row, which concurrent requests have of their own.
    """
    if not activities:
        return
    values = {
        "tenant": tenant,
        "sources": list(activities),
        "counts": list(activities.values()),
        "now": uow.now,
        "fresh": uow.now - SHORTEST_GAP,
        "look_at": uow.now + LOOK_AGAIN,
    }
    for row in await uow.session.execute(_HEARD, values):
        if row.silent_since is not None:
            back = SourceFeedResumed(source=row.source, silent_since=row.silent_since, heard_at=uow.now)
            uow.emit(Event.of(back, tenant=tenant, subject=row.source, time=uow.now))


async def listed(session: AsyncSession, tenant: str, *, as_of: datetime, after: str, limit: int) -> Sequence[Row[Any]]:
    """The sources after a name, each with its activities of the last 14 days by day."""
    since = as_of.date().fromordinal(as_of.toordinal() - DAYS_SHOWN)
    values = {"tenant": tenant, "since": since, "after": after, "limit": limit}
    return (await session.execute(_LISTED, values)).all()


async def settle(
    session: AsyncSession, seen: Mapping[tuple[str, str], tuple[datetime | None, datetime | None]], as_of: datetime
) -> None:
    """Keep, by tenant and source, since when each is silent and when to look again; days long past are forgotten."""
    keys = {"tenants": [tenant for tenant, _ in seen], "sources": [source for _, source in seen]}
    silences, times = [one for one, _ in seen.values()], [one for _, one in seen.values()]
    await session.execute(_SETTLE, keys | {"silences": silences, "times": times})
    since = as_of.date().fromordinal(as_of.toordinal() - DAYS_KEPT)
    await session.execute(_FORGET, keys | {"since": since})
