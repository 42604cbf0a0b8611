"""All SQL of the contacts' projection: which computed contact ids stand for which person."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from bellwether_kit.db import array

_CANONICAL = text("""
    SELECT alias_id, contact_id
    FROM (SELECT pg_advisory_xact_lock_shared(hashtextextended('people/' || :tenant, 0))) AS held
    LEFT JOIN contact_alias ON tenant = :tenant AND alias_id = ANY(CAST(:ids AS uuid[]))
""")

_ALONE = text("SELECT pg_advisory_xact_lock(hashtextextended('persons/' || :tenant, 0))")
_AWAIT = text("SELECT pg_advisory_xact_lock(hashtextextended('people/' || :tenant, 0))")

_CLAIM = text("""
    INSERT INTO contact_alias AS kept (tenant, alias_id, contact_id, claimed_at)
    SELECT DISTINCT ON (claimed.tenant, claimed.alias_id)
           claimed.tenant, claimed.alias_id,
           CASE WHEN gone.alias_id IS NULL THEN claimed.contact_id END,
           coalesce(gone.claimed_at, claimed.claimed_at)
    FROM unnest(CAST(:tenants AS text[]), CAST(:aliases AS uuid[]), CAST(:contacts AS uuid[]),
                CAST(:times AS timestamptz[])) AS claimed(tenant, alias_id, contact_id, claimed_at)
    LEFT JOIN contact_alias AS gone
      ON gone.tenant = claimed.tenant AND gone.alias_id = claimed.contact_id AND gone.contact_id IS NULL
     AND gone.claimed_at >= claimed.claimed_at
    ORDER BY claimed.tenant, claimed.alias_id, claimed.claimed_at DESC, claimed.contact_id
    ON CONFLICT (tenant, alias_id) DO UPDATE SET contact_id = EXCLUDED.contact_id, claimed_at = EXCLUDED.claimed_at
    WHERE kept.contact_id IS DISTINCT FROM EXCLUDED.contact_id AND kept.claimed_at <= EXCLUDED.claimed_at
    RETURNING WITH (OLD AS before, NEW AS after)
        after.tenant, after.alias_id, after.contact_id, before.alias_id IS NULL AS first
""")

# A person's own id is erased with all that stand for it, also when nothing stands for it yet.
_ERASE = text("""
    WITH gone AS (
        SELECT tenant, contact_id, at
        FROM unnest(CAST(:tenants AS text[]), CAST(:contacts AS uuid[]), CAST(:times AS timestamptz[]))
             AS gone(tenant, contact_id, at)
    )
    INSERT INTO contact_alias AS kept (tenant, alias_id, contact_id, claimed_at)
    SELECT tenant, alias_id, NULL, max(at) FROM (
        SELECT tenant, contact_id AS alias_id, at FROM gone
        UNION ALL
        SELECT alias.tenant, alias.alias_id, gone.at FROM gone JOIN contact_alias AS alias USING (tenant, contact_id)
        WHERE alias.claimed_at <= gone.at
    ) AS every
    GROUP BY tenant, alias_id ORDER BY tenant, alias_id
    ON CONFLICT (tenant, alias_id) DO UPDATE SET contact_id = NULL, claimed_at = EXCLUDED.claimed_at
    WHERE kept.claimed_at <= EXCLUDED.claimed_at
      AND (kept.contact_id IS NOT NULL OR kept.claimed_at < EXCLUDED.claimed_at)
    RETURNING WITH (OLD AS before, NEW AS after)
        after.tenant, after.alias_id, coalesce(before.contact_id, after.alias_id) AS contact_id
""")

FOR_EVER = datetime.max.replace(tzinfo=UTC)

Erased = tuple[str, UUID, UUID]
"""Tenant, an id that named somebody erased, and that person's own id."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A computed contact id of an account that stands for a person of another id."""

    tenant: str
    account_id: UUID
    alias_id: UUID
    contact_id: UUID
    said_at: datetime


async def canonical(session: AsyncSession, tenant: str, ids: Iterable[UUID]) -> dict[UUID, UUID | None]:
    """The persons that computed ids stand for, where that is another id; None for a person who was erased."""
    wanted = list(ids)
    if not wanted:
        return {}
    rows = await session.execute(_CANONICAL, {"tenant": tenant, "ids": array(wanted)})
    return {row.alias_id: row.contact_id for row in rows if row.alias_id is not None}


async def alone(session: AsyncSession, tenants: Iterable[str]) -> None:
    """Let one transaction at a time say who is who at these tenants, and who was erased."""
    for tenant in sorted(set(tenants)):
        await session.execute(_ALONE, {"tenant": tenant})


async def claim(session: AsyncSession, claims: Sequence[Claimed]) -> tuple[list[Claimed], list[Erased]]:
    """Remember what computed ids stand for; gives those that until now stood for themselves.

    Beside them those that turn out to be of a person who was erased. An id that changes hands later does so for new
    activities only: nobody can tell whose the old ones are.
    """
    if not claims:
        return [], []
    arrays = {
        "tenants": [claim.tenant for claim in claims],
        "aliases": [claim.alias_id for claim in claims],
        "contacts": [claim.contact_id for claim in claims],
        "times": [claim.said_at for claim in claims],
    }
    first = {(row.tenant, row.alias_id): row.contact_id for row in await session.execute(_CLAIM, arrays) if row.first}
    news, erased = [], []
    for claim in claims:
        stands_for = first.get((claim.tenant, claim.alias_id), claim.alias_id)
        if stands_for is None:
            erased.append((claim.tenant, claim.alias_id, claim.contact_id))
        elif claim.alias_id != claim.contact_id == stands_for:
            news.append(claim)
    return news, erased


async def erase(session: AsyncSession, gone: Sequence[tuple[str, UUID, datetime]]) -> list[Erased]:
    """Have erased persons (tenant, id, when) named by nothing from now on.

    Gives the ids that named them until now, nothing for those erased already. News of a later time bring a person
    back, except after :data:`FOR_EVER`.
    """
    if not gone:
        return []
    arrays = {
        "tenants": [tenant for tenant, _, _ in gone],
        "contacts": [contact for _, contact, _ in gone],
        "times": ["infinity" if at == FOR_EVER else at.isoformat() for _, _, at in gone],
    }
    return [(row.tenant, row.alias_id, row.contact_id) for row in await session.execute(_ERASE, arrays)]


async def await_posts(session: AsyncSession, tenants: Iterable[str]) -> None:
    """Wait until every post is stored that looked up a person of these tenants before now."""
    for tenant in sorted(set(tenants)):
        await session.execute(_AWAIT, {"tenant": tenant})
