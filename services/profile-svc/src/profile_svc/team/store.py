"""All SQL of account teams."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bellwether_kit.ids import opaque_id
from profile_svc.team.rules import Member, Role
from profile_svc.team.tables import MemberRow

_DISMISS = text("DELETE FROM account_member WHERE tenant = :tenant AND account_id = :account_id")

_APPOINT = text("""
    INSERT INTO account_member (tenant, account_id, role, user_id, email)
    SELECT :tenant, :account_id, *
    FROM unnest(CAST(:roles AS text[]), CAST(:users AS uuid[]), CAST(:emails AS text[]))
""")


async def teams(session: AsyncSession, tenant: str, account_ids: Collection[UUID]) -> dict[UUID, frozenset[Member]]:
    """The team of each account; empty where there is none."""
    query = select(MemberRow).where(col(MemberRow.tenant) == tenant, col(MemberRow.account_id).in_(account_ids))
    found: dict[UUID, set[Member]] = {account_id: set() for account_id in account_ids}
    for row in await session.scalars(query):
        found[row.account_id].add(Member(Role(row.role), row.email))
    return {account_id: frozenset(members) for account_id, members in found.items()}


async def appoint(session: AsyncSession, tenant: str, account_id: UUID, members: frozenset[Member]) -> None:
    """Make ``members`` the whole team of the account."""
    account = {"tenant": tenant, "account_id": account_id}
    await session.execute(_DISMISS, account)
    await session.execute(
        _APPOINT,
        {
            **account,
            "roles": [member.role.value for member in members],
            "users": [opaque_id(tenant, "user", member.email) for member in members],
            "emails": [member.email for member in members],
        },
    )
