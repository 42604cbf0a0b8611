"""All SQL of who answers for plays."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bellwether_kit.ids import opaque_id
from plan_svc.owners.rules import FALLBACK_ROLE
from plan_svc.owners.tables import PlaySetting


async def fallback_owners(session: AsyncSession, tenants: Collection[str]) -> dict[str, UUID]:
    """Who answers for a play of each tenant when nobody else is named."""
    chosen = await session.scalars(select(PlaySetting).where(col(PlaySetting.tenant).in_(list(tenants))))
    defaults = {tenant: opaque_id(tenant, "role", FALLBACK_ROLE) for tenant in tenants}
    return defaults | {row.tenant: row.fallback_owner_id for row in chosen}


async def setting(session: AsyncSession, tenant: str, *, locked: bool = False) -> PlaySetting | None:
    """What the tenant chose for its plays, or None where it chose nothing."""
    query = select(PlaySetting).where(col(PlaySetting.tenant) == tenant)
    return (await session.scalars(query.with_for_update() if locked else query)).one_or_none()
