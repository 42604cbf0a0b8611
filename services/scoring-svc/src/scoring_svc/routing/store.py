"""The SQL of notification routes."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from bellwether_kit.db import UnitOfWork
from bellwether_kit.ids import uuid7
from scoring_svc.errors import UnknownRoute
from scoring_svc.routing.rules import Route

FIELDS = [
    *("name", "channels", "kinds", "rules", "min_severity", "tiers", "owners"),
    *("time_zone", "quiet_from", "quiet_to", "digest_at", "author", "reason"),
]

_IN_FORCE = text("SELECT * FROM notification_route WHERE tenant = ANY(CAST(:tenants AS text[])) ORDER BY route_id")
_LISTED = text("""
    SELECT * FROM notification_route WHERE tenant = :tenant AND route_id > :after ORDER BY route_id LIMIT :limit
""")
_ONE = text("SELECT * FROM notification_route WHERE tenant = :tenant AND route_id = :id")
_LOCK = text("SELECT * FROM notification_route WHERE tenant = :tenant AND route_id = :id FOR UPDATE")
_ADD = text(f"""
    INSERT INTO notification_route (tenant, route_id, {", ".join(FIELDS)}, version, changed_at)
    VALUES (:tenant, :id, {", ".join(":" + name for name in FIELDS)}, 1, :now)
""")
_CHANGE = text(f"""
    UPDATE notification_route SET {", ".join(f"{name} = :{name}" for name in FIELDS)}, version = version + 1,
        changed_at = :now
    WHERE tenant = :tenant AND route_id = :id
""")
_REMOVE = text("DELETE FROM notification_route WHERE tenant = :tenant AND route_id = :id")


async def in_force(session: AsyncSession, tenants: Collection[str]) -> dict[str, list[Route]]:
    """The routes of each tenant, the oldest first."""
    found: dict[str, list[Route]] = defaultdict(list)
    for row in await session.execute(_IN_FORCE, {"tenants": list(tenants)}):
        found[row.tenant].append(
            Route(
                row.route_id,
                tuple(row.channels),
                frozenset(row.kinds),
                frozenset(row.rules),
                row.min_severity,
                frozenset(row.tiers),
                frozenset(row.owners),
                row.time_zone,
                row.quiet_from,
                row.quiet_to,
                row.digest_at,
            )
        )
    return found


async def listed(session: AsyncSession, tenant: str, *, after: UUID, limit: int) -> Sequence[Row[Any]]:
    """The routes after an id, the oldest first."""
    return (await session.execute(_LISTED, {"tenant": tenant, "after": after, "limit": limit})).all()


async def one(session: AsyncSession, tenant: str, route_id: UUID, *, lock: bool = False) -> Row[Any]:
    """One route, held until the transaction ends with `lock`; raises UnknownRoute."""
    row = (await session.execute(_LOCK if lock else _ONE, {"tenant": tenant, "id": route_id})).one_or_none()
    if row is None:
        raise UnknownRoute("There is no notification route of this id.")
    return row


async def add(uow: UnitOfWork, tenant: str, given: Mapping[str, Any]) -> UUID:
    """Make a route of the fields above."""
    id_ = uuid7()
    await uow.session.execute(_ADD, {"tenant": tenant, "id": id_, "now": uow.now, **given})
    return id_


async def change(uow: UnitOfWork, tenant: str, route_id: UUID, given: Mapping[str, Any]) -> None:
    """Put the fields above in the place of what a locked route said."""
    await uow.session.execute(_CHANGE, {"tenant": tenant, "id": route_id, "now": uow.now, **given})


async def remove(session: AsyncSession, tenant: str, route_id: UUID) -> None:
    """Remove a route; what it brought on its way is sent."""
    await session.execute(_REMOVE, {"tenant": tenant, "id": route_id})
