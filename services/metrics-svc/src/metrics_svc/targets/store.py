"""All SQL of targets: setting, taking back, and what is in force on a day."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from bellwether_kit.db import one_at_a_time
from metrics_svc.figures.store import changed

_LATEST = text("""
    SELECT version, value FROM target
    WHERE tenant = :tenant AND metric = :metric AND scope = :scope AND member = :member AND applies_from = :applies_from
    ORDER BY version DESC LIMIT 1
""")

_ADD = text("""
    INSERT INTO target (tenant, metric, scope, member, applies_from, version, value, author, reason, set_at)
    VALUES (:tenant, :metric, :scope, :member, :applies_from, :version, :value, :author, :reason, :now)
""")

IN_FORCE = """
    SELECT t.value FROM target AS t
    WHERE t.tenant = :tenant AND t.metric = {metric} AND t.scope = :scope AND t.member IN ({member}, '')
      AND t.applies_from <= CAST(:last AS date) AND t.value IS NOT NULL
      AND NOT EXISTS (
          SELECT FROM target AS later
          WHERE later.tenant = t.tenant AND later.metric = t.metric AND later.scope = t.scope
            AND later.member = t.member AND later.applies_from = t.applies_from AND later.version > t.version)
    ORDER BY t.member DESC, t.applies_from DESC LIMIT 1
"""
"""The target of a metric on the day ``last``. What is set for no member holds for those without their own."""

_LISTED = """
    SELECT * FROM (
        SELECT metric, scope, member, applies_from, version, value, author, reason, set_at,
               version = max(version) OVER (PARTITION BY metric, scope, member, applies_from) AS latest
        FROM target WHERE {where}
    ) AS versions
    WHERE (:history OR (latest AND value IS NOT NULL)) {after}
    ORDER BY metric, scope, member, applies_from DESC, version DESC LIMIT :limit
"""

_AFTER = """
    AND (metric, scope, member) >= (:metric_after, :scope_after, :member_after)
    AND ((metric, scope, member) > (:metric_after, :scope_after, :member_after)
         OR (applies_from, version) < (CAST(:from_after AS date), :version_after))
"""


async def put(session: AsyncSession, key: Mapping[str, Any], value: float | None, said: Mapping[str, Any]) -> bool:
    """Add a version of a target, or one that takes it back (None); says whether that changed anything.

    ``key`` names tenant, metric, scope, member and applies_from, ``said`` author, reason and now.
    """
    await one_at_a_time(session, f"targets/{key['tenant']}")
    latest = (await session.execute(_LATEST, key)).first()
    if (latest.value if latest else None) == value:
        return False
    version = latest.version + 1 if latest else 1
    await session.execute(_ADD, {**key, **said, "value": value, "version": version})
    await changed(session, [key["tenant"]], "figures")
    return True


async def listed(
    session: AsyncSession,
    tenant: str,
    filters: Mapping[str, str | None],
    *,
    history: bool,
    after: Sequence[Any] | None,
    limit: int,
) -> Sequence[Row[Any]]:
    """Targets that fit, in the order of metric, scope and member, the latest first; with history every version."""
    given: dict[str, Any] = {name: value for name, value in filters.items() if value is not None}
    where = " AND ".join(["tenant = :tenant", *(f"{name} = :{name}" for name in given)])
    if after is not None:
        names = ("metric_after", "scope_after", "member_after", "from_after", "version_after")
        given |= dict(zip(names, after, strict=True))
    statement = _LISTED.format(where=where, after="" if after is None else _AFTER)
    return (
        await session.execute(text(statement), given | {"tenant": tenant, "history": history, "limit": limit})
    ).all()


def said(author: str, reason: str, now: datetime) -> Mapping[str, Any]:
    """Who says so, why and when, as ``put`` takes it."""
    return {"author": author, "reason": reason, "now": now}
