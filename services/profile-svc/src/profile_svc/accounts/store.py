"""All SQL of accounts and their external ids. What is saved here is also said on topic ``accounts``."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import msgspec
from sqlalchemy import Select, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bellwether_kit.db import UnitOfWork
from bellwether_kit.events import Event
from bellwether_kit.ids import opaque_id
from profile_svc import published
from profile_svc.accounts.rules import (
    Account,
    AccountId,
    AccountType,
    Change,
    ExternalId,
    Known,
    Money,
    Origin,
    Profile,
    Status,
    Tier,
)
from profile_svc.accounts.tables import AccountRow, ExternalIdRow
from profile_svc.tables import Table

_COLUMNS = [column.name for column in Table.metadata.tables["account"].columns]

_ONE_WRITER = text("SELECT pg_advisory_xact_lock(hashtext('accounts'), hashtext(:tenant))")

_BEARERS = text("""
    SELECT source, external_id, account_id FROM account_external_id
    WHERE tenant = :tenant
      AND (source, external_id) IN
          (SELECT * FROM unnest(CAST(:sources AS text[]), CAST(:names AS text[])))
""")

_LINEAGE = text("""
    WITH RECURSIVE line AS (
        SELECT id, parent_id FROM account WHERE tenant = :tenant AND id = ANY(CAST(:ids AS uuid[]))
        UNION
        SELECT up.id, up.parent_id
        FROM line JOIN account AS up ON up.tenant = :tenant AND up.id = line.parent_id
    )
    SELECT id, parent_id FROM line
""")

_SAVE = text(f"""
    INSERT INTO account ({", ".join(_COLUMNS)})
    SELECT {", ".join(_COLUMNS)}
    FROM jsonb_populate_recordset(CAST(NULL AS account), CAST(:rows AS jsonb))
    ON CONFLICT (tenant, id) DO UPDATE SET {", ".join(f"{name} = EXCLUDED.{name}" for name in _COLUMNS)}
""")

_GIVE_UP = text("""
    DELETE FROM account_external_id
    WHERE tenant = :tenant AND account_id = ANY(CAST(:changed AS uuid[]))
      AND (source, external_id) NOT IN
          (SELECT * FROM unnest(CAST(:sources AS text[]), CAST(:names AS text[])))
""")

# No ON CONFLICT: a name that another account has must fail here, should it ever get past the rules.
_TAKE = text("""
    INSERT INTO account_external_id (tenant, source, external_id, account_id)
    SELECT :tenant, said.* FROM unnest(
        CAST(:sources AS text[]), CAST(:names AS text[]), CAST(:bearers AS uuid[])
    ) AS said (source, external_id, account_id)
    WHERE NOT EXISTS (
        SELECT FROM account_external_id AS held
        WHERE held.tenant = :tenant
          AND (held.source, held.external_id, held.account_id) = (said.source, said.external_id, said.account_id)
    )
""")

_REMOVE = text("DELETE FROM account WHERE tenant = :tenant AND id = :id")


@dataclass(frozen=True)
class Filters:
    """Which accounts a list shows; None means all."""

    status: str | None = None
    tier: str | None = None
    owner_id: UUID | None = None
    territory: str | None = None
    parent_id: UUID | None = None
    external_id: ExternalId | None = None


@dataclass(frozen=True)
class After:
    """Where a page begins: behind the account with this value of the sort column and this id."""

    value: str | datetime
    id: UUID


async def one_writer(session: AsyncSession, tenant: str) -> None:
    """Wait until no other transaction changes the tenant's accounts; others wait for its end.

    Accounts hang together by parents and external ids, so one lock for all of a tenant's is what makes a check
    of both stay true. They change seldom and a batch of 500 takes milliseconds.
    """
    await session.execute(_ONE_WRITER, {"tenant": tenant})


async def find(session: AsyncSession, tenant: str, account_id: UUID) -> Account | None:
    """The account, or None when the tenant has no such one."""
    return (await _load(session, tenant, [account_id])).get(AccountId(account_id))


async def page(
    session: AsyncSession,
    tenant: str,
    filters: Filters,
    *,
    sort: str = "name",
    after: After | None = None,
    limit: int,
) -> list[Account]:
    """Accounts in the order of ``sort``: a column's name, with ``-`` before it for descending."""
    descending = sort.startswith("-")
    keys = (getattr(AccountRow, sort.removeprefix("-")), col(AccountRow.id))
    query = _matching(tenant, filters).order_by(*(key.desc() if descending else key for key in keys))
    if after is not None:
        here, there = tuple_(*keys), tuple_(after.value, after.id)
        query = query.where(here < there if descending else here > there)
    return await _accounts(session, tenant, await _rows(session, query.limit(limit)))


def _matching(tenant: str, filters: Filters) -> Select[AccountRow]:
    query = select(AccountRow).where(col(AccountRow.tenant) == tenant)
    for name in ("status", "tier", "owner_id", "territory", "parent_id"):
        wanted = getattr(filters, name)
        if wanted is not None:
            query = query.where(getattr(AccountRow, name) == wanted)
    if filters.external_id is None:
        return query
    bearers = select(col(ExternalIdRow.account_id)).where(
        col(ExternalIdRow.tenant) == tenant,
        col(ExternalIdRow.source) == filters.external_id.source,
        col(ExternalIdRow.external_id) == filters.external_id.external_id,
    )
    return query.where(col(AccountRow.id).in_(bearers))


async def known(session: AsyncSession, tenant: str, changes: Sequence[Change]) -> Known:
    """All that is on record about what ``changes`` name, in four statements."""
    parents = [change.facts.get("parent_id") for change in changes]
    own = {name for change in changes for name in change.external_ids}
    named = own | {parent for parent in parents if isinstance(parent, ExternalId)}
    found = await session.execute(_BEARERS, {"tenant": tenant, **_columns(named)})
    bearers = {ExternalId(source, name): AccountId(id_) for source, name, id_ in found}
    accounts = await _load(session, tenant, {bearers[name] for name in own & bearers.keys()})
    above = [bearers.get(parent) if isinstance(parent, ExternalId) else parent for parent in parents]
    ids = [id_ for id_ in above if id_ is not None]
    line = await session.execute(_LINEAGE, {"tenant": tenant, "ids": ids})
    return Known(accounts, bearers, {AccountId(id_): parent for id_, parent in line})


async def save(uow: UnitOfWork, tenant: str, states: Sequence[Account]) -> None:
    """Store the last of each account's ``states`` and say every one, in order; three statements for all."""
    last = {account.id: account for account in states}
    if not last:
        return
    bearers = {name: account.id for account in last.values() for name in account.external_ids}
    names = {"tenant": tenant, **_columns(bearers)}
    rows = msgspec.json.encode([_row(tenant, account) for account in last.values()]).decode()
    await uow.session.execute(_SAVE, {"rows": rows})
    await uow.session.execute(_GIVE_UP, {**names, "changed": list(last)})
    await uow.session.execute(_TAKE, {**names, "bearers": list(bearers.values())})
    uow.emit(*(_changed(tenant, account) for account in states))


async def remove(uow: UnitOfWork, tenant: str, account: Account, *, reason: str) -> None:
    """Forget the account, its external ids, team and health, and say so, with a tombstone behind it."""
    await uow.session.execute(_REMOVE, {"tenant": tenant, "id": account.id})
    version = account.version + 1
    gone = published.AccountRemoved(account_id=account.id, version=version, reason=reason)
    event = Event.of(gone, tenant=tenant, subject=str(account.id), time=uow.now, sequence=version)
    uow.emit(event, Event.tombstone_of(event.topic, tenant=tenant, key=event.key, time=uow.now))


def _columns(names: Collection[ExternalId]) -> dict[str, list[str]]:
    return {"sources": [name.source for name in names], "names": [name.external_id for name in names]}


async def _load(session: AsyncSession, tenant: str, ids: Collection[UUID]) -> dict[AccountId, Account]:
    query = select(AccountRow).where(col(AccountRow.tenant) == tenant, col(AccountRow.id).in_(ids))
    accounts = await _accounts(session, tenant, await _rows(session, query))
    return {account.id: account for account in accounts}


async def _rows(session: AsyncSession, query: Select[AccountRow]) -> Sequence[AccountRow]:
    return (await session.scalars(query)).all()


async def _accounts(session: AsyncSession, tenant: str, rows: Sequence[AccountRow]) -> list[Account]:
    query = select(ExternalIdRow).where(
        col(ExternalIdRow.tenant) == tenant, col(ExternalIdRow.account_id).in_([row.id for row in rows])
    )
    names: dict[UUID, set[ExternalId]] = {row.id: set() for row in rows}
    for name in await session.scalars(query):
        names[name.account_id].add(ExternalId(name.source, name.external_id))
    return [_account(row, frozenset(names[row.id])) for row in rows]


_SAME = tuple(name for name in Profile.__dataclass_fields__ if name in _COLUMNS)
"""The facts that a column of the same name holds as they are."""


def _account(row: AccountRow, names: frozenset[ExternalId]) -> Account:
    facts = {name: getattr(row, name) for name in _SAME} | {
        "status": Status(row.status),
        "account_type": AccountType(row.account_type),
        "tier": Tier(row.tier) if row.tier else None,
        "email_domains": tuple(row.email_domains),
        "yearly_value": _money(row.value_amount, row.value_currency),
        "whitespace": _money(row.whitespace_amount, row.whitespace_currency),
    }
    origins = msgspec.convert(row.origins, dict[str, Origin])
    return Account(AccountId(row.id), row.version, row.created_at, row.updated_at, Profile(**facts), names, origins)


def _money(amount: Decimal | None, currency: str | None) -> Money | None:
    return Money(amount, currency) if amount is not None and currency else None


def _row(tenant: str, account: Account) -> dict[str, object]:
    profile = account.profile
    value, whitespace = profile.yearly_value, profile.whitespace
    return {name: getattr(profile, name) for name in _SAME} | {
        "tenant": tenant,
        "id": account.id,
        "version": account.version,
        "created_at": account.created_at,
        "updated_at": account.updated_at,
        "owner_id": _owner_id(tenant, profile),
        "value_amount": value.amount if value else None,
        "value_currency": value.currency if value else None,
        "whitespace_amount": whitespace.amount if whitespace else None,
        "whitespace_currency": whitespace.currency if whitespace else None,
        "origins": account.origins,
    }


def _changed(tenant: str, account: Account) -> Event:
    profile = account.profile
    said = published.AccountChanged(
        account_id=account.id,
        name=profile.name,
        status=profile.status.value,
        account_type=profile.account_type,
        tier=profile.tier.value if profile.tier else None,
        industry=profile.industry,
        territory=profile.territory,
        country=profile.country,
        currency=profile.currency,
        parent_id=profile.parent_id,
        owner_id=_owner_id(tenant, profile),
        cadence_days=profile.cadence_days,
        contract_start=profile.contract_start,
        contract_end=profile.contract_end,
        renewal_at=profile.renewal_at,
        value=_said(profile.yearly_value),
        whitespace=_said(profile.whitespace),
        external_ids=[
            published.ExternalId(source=name.source, external_id=name.external_id)
            for name in sorted(account.external_ids)
        ],
        email_domains=list(profile.email_domains),
        known_since=profile.known_since,
        version=account.version,
    )
    return Event.of(said, tenant=tenant, subject=str(account.id), time=account.updated_at, sequence=account.version)


def _said(money: Money | None) -> published.Money | None:
    return published.Money(amount=float(money.amount), currency=money.currency) if money else None


def _owner_id(tenant: str, profile: Profile) -> UUID | None:
    return opaque_id(tenant, "user", profile.owner) if profile.owner else None
