"""All SQL of the contacts' projection: which computed contact ids stand for which person."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_CANONICAL = text("""
    SELECT alias_id, contact_id FROM contact_alias
    WHERE tenant = :tenant AND alias_id = ANY(CAST(:ids AS uuid[]))
""")

_CLAIM = text("""
    INSERT INTO contact_alias AS kept (tenant, alias_id, contact_id, claimed_at)
    SELECT DISTINCT ON (tenant, alias_id) tenant, alias_id, contact_id, claimed_at
    FROM unnest(CAST(:tenants AS text[]), CAST(:aliases AS uuid[]), CAST(:contacts AS uuid[]),
                CAST(:times AS timestamptz[])) AS claimed(tenant, alias_id, contact_id, claimed_at)
    ORDER BY tenant, alias_id, claimed_at DESC, contact_id
    ON CONFLICT (tenant, alias_id) DO UPDATE SET contact_id = EXCLUDED.contact_id, claimed_at = EXCLUDED.claimed_at
    WHERE kept.contact_id <> EXCLUDED.contact_id AND kept.claimed_at <= EXCLUDED.claimed_at
    RETURNING WITH (OLD AS before, NEW AS after)
        after.tenant, after.alias_id, after.contact_id, before.alias_id IS NULL AS first
""")

_FORGET = text("""
    DELETE FROM contact_alias AS kept
    USING unnest(CAST(:tenants AS text[]), CAST(:contacts AS uuid[]), CAST(:times AS timestamptz[]))
          AS gone(tenant, contact_id, at)
    WHERE kept.tenant = gone.tenant AND kept.contact_id = gone.contact_id AND kept.claimed_at <= gone.at
""")


@dataclass(frozen=True, slots=True)
class Claimed:
    """A computed contact id of an account that stands for a person of another id."""

    tenant: str
    account_id: UUID
    alias_id: UUID
    contact_id: UUID
    said_at: datetime


async def canonical(session: AsyncSession, tenant: str, ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """The persons that computed ids stand for, where that is another id."""
    wanted = list(ids)
    if not wanted:
        return {}
    rows = await session.execute(_CANONICAL, {"tenant": tenant, "ids": wanted})
    return {row.alias_id: row.contact_id for row in rows}


async def claim(session: AsyncSession, claims: Sequence[Claimed]) -> list[Claimed]:
    """Remember what computed ids stand for; gives those that until now stood for themselves.

    An id that changes hands later does so for new activities only: nobody can tell whose the old ones are.
    """
    if not claims:
        return []
    arrays = {
        "tenants": [claim.tenant for claim in claims],
        "aliases": [claim.alias_id for claim in claims],
        "contacts": [claim.contact_id for claim in claims],
        "times": [claim.said_at for claim in claims],
    }
    rows = await session.execute(_CLAIM, arrays)
    news = {(row.tenant, row.alias_id, row.contact_id) for row in rows if row.first}
    return [
        claim
        for claim in claims
        if claim.alias_id != claim.contact_id and (claim.tenant, claim.alias_id, claim.contact_id) in news
    ]


async def forget(session: AsyncSession, gone: Sequence[tuple[str, UUID, datetime]]) -> None:
    """Forget erased persons (tenant, id, when); their ids in activities say nothing about anybody any more."""
    if not gone:
        return
    arrays = {
        "tenants": [tenant for tenant, _, _ in gone],
        "contacts": [contact for _, contact, _ in gone],
        "times": [at for _, _, at in gone],
    }
    await session.execute(_FORGET, arrays)
