"""All SQL of the projection of accounts."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from plan_svc.accounts.tables import Account

_FOLD = text("""
    INSERT INTO account AS a (tenant, account_id, name, tier, owner_id, version, removed_at)
    SELECT DISTINCT ON (tenant, account_id) *
    FROM unnest(CAST(:tenants AS text[]), CAST(:ids AS uuid[]), CAST(:names AS text[]),
                CAST(:tiers AS text[]), CAST(:owners AS uuid[]), CAST(:versions AS bigint[]),
                CAST(:removed AS timestamptz[]))
         AS e(tenant, account_id, name, tier, owner_id, version, removed_at)
    ORDER BY tenant, account_id, version DESC
    ON CONFLICT (tenant, account_id) DO UPDATE
    SET name = CASE WHEN EXCLUDED.removed_at IS NULL THEN EXCLUDED.name ELSE a.name END, tier = EXCLUDED.tier,
        owner_id = EXCLUDED.owner_id, version = EXCLUDED.version, removed_at = EXCLUDED.removed_at
    WHERE a.version < EXCLUDED.version
    RETURNING tenant, account_id, removed_at
""")

_OF = text("""
    SELECT tenant, account_id, owner_id, removed_at FROM account
    WHERE (tenant, account_id) IN (SELECT * FROM unnest(CAST(:tenants AS text[]), CAST(:ids AS uuid[])))
""")


async def fold(session: AsyncSession, rows: Sequence[Account]) -> list[tuple[str, UUID, datetime | None]]:
    """Keep the highest version of each account, and the name of a removed one.

    Gives (tenant, account, removed at) of those that changed.
    """
    columns = {
        "tenants": [row.tenant for row in rows],
        "ids": [row.account_id for row in rows],
        "names": [row.name for row in rows],
        "tiers": [row.tier for row in rows],
        "owners": [row.owner_id for row in rows],
        "versions": [row.version for row in rows],
        "removed": [row.removed_at for row in rows],
    }
    return [(tenant, id_, removed) for tenant, id_, removed in await session.execute(_FOLD, columns)]


async def owners(
    session: AsyncSession, accounts: Collection[tuple[str, UUID]]
) -> dict[tuple[str, UUID], tuple[UUID | None, bool]]:
    """Of each known account: its owner, and whether it was removed."""
    columns = {"tenants": [tenant for tenant, _ in accounts], "ids": [id_ for _, id_ in accounts]}
    return {
        (tenant, id_): (owner, removed is not None)
        for tenant, id_, owner, removed in await session.execute(_OF, columns)
    }


async def find(session: AsyncSession, tenant: str, account_id: UUID) -> Account | None:
    """One account that exists, or None."""
    found = await session.scalars(
        select(Account).where(col(Account.tenant) == tenant, col(Account.account_id) == account_id)
    )
    account = found.one_or_none()
    return account if account is not None and account.removed_at is None else None


async def names(session: AsyncSession, tenant: str, ids: Collection[UUID]) -> dict[UUID, str]:
    """The names of those accounts that are known."""
    query = select(col(Account.account_id), col(Account.name)).where(
        col(Account.tenant) == tenant, col(Account.account_id).in_(ids)
    )
    rows = await session.execute(query)
    return {row.account_id: row.name for row in rows}
