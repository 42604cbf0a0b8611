"""All SQL of the projection of accounts."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from stakeholder_svc.accounts.rules import ExternalId
from stakeholder_svc.accounts.tables import AccountRow

AccountKey = tuple[str, UUID]

_FOLD = text("""
    INSERT INTO account AS a (tenant, id, name, version, removed_at)
    SELECT DISTINCT ON (tenant, id) *
    FROM unnest(CAST(:tenants AS text[]), CAST(:ids AS uuid[]), CAST(:names AS text[]), CAST(:versions AS bigint[]),
                CAST(:removed AS timestamptz[])) AS e(tenant, id, name, version, removed_at)
    ORDER BY tenant, id, version DESC
    ON CONFLICT (tenant, id) DO UPDATE
    SET name = EXCLUDED.name, version = EXCLUDED.version, removed_at = EXCLUDED.removed_at
    WHERE a.version < EXCLUDED.version
    RETURNING tenant, id, version
""")

_UNNAME = text("""
    DELETE FROM account_external_id
    WHERE (tenant, account_id) IN (SELECT * FROM unnest(CAST(:tenants AS text[]), CAST(:ids AS uuid[])))
""")

_NAME = text("""
    INSERT INTO account_external_id (tenant, source, external_id, account_id)
    SELECT * FROM unnest(CAST(:tenants AS text[]), CAST(:sources AS text[]), CAST(:names AS text[]),
                         CAST(:ids AS uuid[]))
    ON CONFLICT DO NOTHING
""")

_BY_ID = text("""
    SELECT id FROM account WHERE tenant = :tenant AND id = ANY(CAST(:ids AS uuid[])) AND removed_at IS NULL
""")

_BY_NAME = text("""
    SELECT source, external_id, account_id FROM account_external_id
    WHERE tenant = :tenant
      AND (source, external_id) IN (SELECT * FROM unnest(CAST(:sources AS text[]), CAST(:names AS text[])))
    ORDER BY account_id
""")


@dataclass(frozen=True, slots=True)
class Account:
    """An account as an event said it; ``removed_at`` None while it exists."""

    tenant: str
    id: UUID
    name: str
    version: int
    external_ids: tuple[ExternalId, ...] = ()
    removed_at: datetime | None = None


async def fold(session: AsyncSession, said: Sequence[Account]) -> list[Account]:
    """Keep the highest version of each account; gives those that changed."""
    columns = {
        "tenants": [account.tenant for account in said],
        "ids": [account.id for account in said],
        "names": [account.name for account in said],
        "versions": [account.version for account in said],
        "removed": [account.removed_at for account in said],
    }
    newest = {(tenant, id_, version) for tenant, id_, version in await session.execute(_FOLD, columns)}
    by_version = {(account.tenant, account.id, account.version): account for account in said}
    changed = [by_version[key] for key in newest]
    await _rename(session, changed)
    return changed


async def _rename(session: AsyncSession, changed: Sequence[Account]) -> None:
    keys = {"tenants": [account.tenant for account in changed], "ids": [account.id for account in changed]}
    await session.execute(_UNNAME, keys)
    named = [(account, name) for account in changed for name in account.external_ids]
    columns = {
        "tenants": [account.tenant for account, _ in named],
        "sources": [name.source for _, name in named],
        "names": [name.external_id for _, name in named],
        "ids": [account.id for account, _ in named],
    }
    await session.execute(_NAME, columns)


async def resolve(
    session: AsyncSession, tenant: str, named: Collection[UUID | ExternalId]
) -> dict[UUID | ExternalId, UUID]:
    """The ids of those accounts that exist, by their id or external id."""
    names = [name for name in named if isinstance(name, ExternalId)]
    columns = {"sources": [name.source for name in names], "names": [name.external_id for name in names]}
    rows = await session.execute(_BY_NAME, {"tenant": tenant, **columns})
    by_name = {ExternalId(source, name): account_id for source, name, account_id in rows}
    ids = {name for name in named if isinstance(name, UUID)} | set(by_name.values())
    existing = set((await session.execute(_BY_ID, {"tenant": tenant, "ids": list(ids)})).scalars())
    found: dict[UUID | ExternalId, UUID] = {id_: id_ for id_ in existing}
    return found | {name: id_ for name, id_ in by_name.items() if id_ in existing}


async def find(session: AsyncSession, tenant: str, account_id: UUID) -> AccountRow | None:
    """One account that exists, or None."""
    query = select(AccountRow).where(col(AccountRow.tenant) == tenant, col(AccountRow.id) == account_id)
    account = (await session.scalars(query)).one_or_none()
    return account if account is not None and account.removed_at is None else None
