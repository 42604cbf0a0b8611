"""All SQL of coverage. A coverage that differs from the one last said is stored and said."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bellwether_kit.db import UnitOfWork
from bellwether_kit.events import Event
from stakeholder_svc.coverage.rules import DEFAULT_REQUIRED, Contact, Coverage, assess
from stakeholder_svc.coverage.tables import CoverageRow, PolicyRow
from stakeholder_svc.people.rules import Certainty
from stakeholder_svc.published import CoverageChanged

AccountKey = tuple[str, UUID]
Assessed = tuple[Coverage, datetime]
"""A coverage, and when it was said."""
_TICK = timedelta(microseconds=1)

_ACTIVE = text("""
    SELECT tenant, account_id, decision_roles, power, certainty, contacts FROM person
    WHERE (tenant, account_id) IN (SELECT * FROM unnest(CAST(:tenants AS text[]), CAST(:accounts AS uuid[])))
      AND status = 'active'
""")

_SAVE = text("""
    INSERT INTO coverage (tenant, account_id, coverage, missing_roles, people, thread_share, assessed_at)
    SELECT tenant, account_id, coverage, string_to_array(missing, ','), people, thread_share, assessed_at
    FROM unnest(CAST(:tenants AS text[]), CAST(:accounts AS uuid[]), CAST(:coverages AS double precision[]),
                CAST(:missing AS text[]), CAST(:people AS integer[]), CAST(:threads AS double precision[]),
                CAST(:times AS timestamptz[]))
         AS e(tenant, account_id, coverage, missing, people, thread_share, assessed_at)
    ON CONFLICT (tenant, account_id) DO UPDATE
    SET coverage = EXCLUDED.coverage, missing_roles = EXCLUDED.missing_roles, people = EXCLUDED.people,
        thread_share = EXCLUDED.thread_share, assessed_at = EXCLUDED.assessed_at
""")

_SETTLED = text("""
    UPDATE coverage SET due_at = NULL
    WHERE (tenant, account_id) IN (SELECT * FROM unnest(CAST(:tenants AS text[]), CAST(:accounts AS uuid[])))
""")

_ALL_DUE = text("UPDATE coverage SET due_at = :now WHERE tenant = :tenant")

_FORGET = text("""
    DELETE FROM coverage
    WHERE (tenant, account_id) IN (SELECT * FROM unnest(CAST(:tenants AS text[]), CAST(:accounts AS uuid[])))
    RETURNING tenant, account_id
""")


async def reassess(uow: UnitOfWork, accounts: Collection[AccountKey]) -> None:
    """Assess accounts anew, store what differs and say it.

    The rows are locked before people are read, so that of two who assess one account the later sees more.
    """
    last = await _locked(uow.session, accounts)
    contacts = await _contacts(uow.session, accounts)
    required = await required_roles(uow.session, {tenant for tenant, _ in accounts})
    news: dict[AccountKey, Assessed] = {}
    for key in sorted(accounts):
        now = assess(contacts[key], required[key[0]])
        before, at = last.get(key, (None, uow.now - _TICK))
        if before != now:
            # Readers keep the latest: where the clock went back, what is said now comes after what was said before.
            news[key] = now, max(uow.now, at + _TICK)
    await _save(uow.session, news)
    uow.emit(*(_changed(key, *assessed) for key, assessed in news.items()))


async def settle_due(session: AsyncSession, accounts: Collection[AccountKey]) -> None:
    """Note that accounts which were due have been assessed."""
    await session.execute(_SETTLED, _columns(accounts))


async def make_all_due(session: AsyncSession, tenant: str, now: datetime) -> None:
    """Have the timer assess every account of the tenant: what is required has changed."""
    await session.execute(_ALL_DUE, {"tenant": tenant, "now": now})


async def forget(uow: UnitOfWork, accounts: Collection[AccountKey]) -> None:
    """Drop the coverage of accounts that are no more, and their keys on the topic."""
    for tenant, account_id in await uow.session.execute(_FORGET, _columns(accounts)):
        key = f"{tenant}/{account_id}"
        uow.emit(Event.tombstone_of(CoverageChanged.topic, tenant=tenant, key=key, time=uow.now))


async def find(session: AsyncSession, tenant: str, account_id: UUID) -> CoverageRow | None:
    """The coverage last said of an account, or None when nobody was ever known there."""
    query = select(CoverageRow).where(col(CoverageRow.tenant) == tenant, col(CoverageRow.account_id) == account_id)
    return (await session.scalars(query)).one_or_none()


async def policy(session: AsyncSession, tenant: str) -> PolicyRow | None:
    """What the tenant requires, or None where it chose nothing."""
    return (await session.scalars(select(PolicyRow).where(col(PolicyRow.tenant) == tenant))).one_or_none()


async def required_roles(session: AsyncSession, tenants: Collection[str]) -> dict[str, list[str]]:
    """The roles that each tenant requires."""
    chosen = await session.scalars(select(PolicyRow).where(col(PolicyRow.tenant).in_(list(tenants))))
    return {tenant: list(DEFAULT_REQUIRED) for tenant in tenants} | {row.tenant: row.required_roles for row in chosen}


async def _locked(session: AsyncSession, accounts: Collection[AccountKey]) -> dict[AccountKey, Assessed]:
    query = (
        select(CoverageRow)
        .where(tuple_(col(CoverageRow.tenant), col(CoverageRow.account_id)).in_(list(accounts)))
        .order_by(col(CoverageRow.tenant), col(CoverageRow.account_id))
        .with_for_update()
    )
    return {(row.tenant, row.account_id): (_coverage(row), row.assessed_at) for row in await session.scalars(query)}


def _coverage(row: CoverageRow) -> Coverage:
    return Coverage(row.coverage, tuple(row.missing_roles), row.people, row.thread_share)


async def _contacts(session: AsyncSession, accounts: Collection[AccountKey]) -> dict[AccountKey, list[Contact]]:
    found: dict[AccountKey, list[Contact]] = defaultdict(list)
    for tenant, account_id, roles, power, certainty, ours in await session.execute(_ACTIVE, _columns(accounts)):
        confirmed = certainty == Certainty.CONFIRMED
        found[tenant, account_id].append(Contact(frozenset(roles), power, confirmed, frozenset(ours)))
    return found


async def _save(session: AsyncSession, news: dict[AccountKey, Assessed]) -> None:
    coverages = [coverage for coverage, _ in news.values()]
    columns = {
        **_columns(news),
        "coverages": [coverage.coverage for coverage in coverages],
        "missing": [",".join(coverage.missing_roles) for coverage in coverages],
        "people": [coverage.people for coverage in coverages],
        "threads": [coverage.thread_share for coverage in coverages],
        "times": [at for _, at in news.values()],
    }
    await session.execute(_SAVE, columns)


def _columns(accounts: Collection[AccountKey]) -> dict[str, list[object]]:
    return {"tenants": [tenant for tenant, _ in accounts], "accounts": [id_ for _, id_ in accounts]}


def _changed(key: AccountKey, coverage: Coverage, at: datetime) -> Event:
    tenant, account_id = key
    said = CoverageChanged(
        account_id=account_id,
        coverage=coverage.coverage,
        missing_roles=list(coverage.missing_roles),
        people=coverage.people,
        assessed_at=at,
        thread_share=coverage.thread_share,
    )
    return Event.of(said, tenant=tenant, subject=str(account_id), time=at)
