"""All SQL of touch: moving the last contacts with people and accounts, and saying so once per account."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from bellwether_kit.db import UnitOfWork
from bellwether_kit.events import Event
from metrics_svc.activities.rules import NOBODY, Activity, Change
from metrics_svc.activities.store import READ, activity_of
from metrics_svc.published import TouchRecorded
from metrics_svc.touch.rules import PERIOD, Last, contact, first_day, median_hours, ratio

Party = tuple[str, UUID, UUID]
"""Tenant, account and contact; NOBODY stands for the account as a whole."""

_MOVE = text("""
    INSERT INTO touch AS kept (tenant, account_id, contact_id, last_outbound_at, last_inbound_at, last_two_way_at)
    SELECT tenant, account_id, contact_id, outbound, inbound, two_way
    FROM unnest(CAST(:tenants AS text[]), CAST(:accounts AS uuid[]), CAST(:contacts AS uuid[]),
                CAST(:outbound AS timestamptz[]), CAST(:inbound AS timestamptz[]), CAST(:two_way AS timestamptz[]))
         AS new(tenant, account_id, contact_id, outbound, inbound, two_way)
    ON CONFLICT (tenant, account_id, contact_id) DO UPDATE
    SET last_outbound_at = greatest(kept.last_outbound_at, EXCLUDED.last_outbound_at),
        last_inbound_at = greatest(kept.last_inbound_at, EXCLUDED.last_inbound_at),
        last_two_way_at = greatest(kept.last_two_way_at, EXCLUDED.last_two_way_at)
    RETURNING WITH (OLD AS before, NEW AS after)
        after.tenant, after.account_id, after.contact_id,
        (before.last_outbound_at, before.last_inbound_at, before.last_two_way_at)
            IS DISTINCT FROM (after.last_outbound_at, after.last_inbound_at, after.last_two_way_at) AS moved
""")

# Taking a contact back is rare, so its last predecessors are looked up instead of being kept.
_TAKE_BACK = text("""
    DELETE FROM touch USING unnest(CAST(:tenants AS text[]), CAST(:accounts AS uuid[]), CAST(:contacts AS uuid[]))
                            AS gone(tenant, account_id, contact_id)
    WHERE touch.tenant = gone.tenant AND touch.account_id = gone.account_id AND touch.contact_id = gone.contact_id
    RETURNING touch.*
""")

_HISTORY = text(f"""
    SELECT wanted.contact_id, {", ".join(f"a.{name.strip()}" for name in READ.split(","))}
    FROM unnest(CAST(:tenants AS text[]), CAST(:accounts AS uuid[]), CAST(:contacts AS uuid[]))
         AS wanted(tenant, account_id, contact_id)
    JOIN activity AS a ON a.tenant = wanted.tenant AND a.account_id = wanted.account_id
     AND (wanted.contact_id = :nobody OR wanted.contact_id = ANY(a.contact_ids))
""")

_COUNT = text("""
    INSERT INTO touch_day AS kept (tenant, account_id, day, contacts, two_way)
    SELECT * FROM unnest(CAST(:tenants AS text[]), CAST(:accounts AS uuid[]), CAST(:days AS date[]),
                         CAST(:contacts AS integer[]), CAST(:two_way AS integer[]))
    ON CONFLICT (tenant, account_id, day) DO UPDATE
    SET contacts = kept.contacts + EXCLUDED.contacts, two_way = kept.two_way + EXCLUDED.two_way
""")

_READ = text("""
    SELECT wanted.tenant, wanted.account_id, t.last_outbound_at, t.last_inbound_at, t.last_two_way_at,
           (SELECT count(*) FROM touch AS p
            WHERE p.tenant = wanted.tenant AND p.account_id = wanted.account_id AND p.contact_id <> :nobody
              AND greatest(p.last_outbound_at, p.last_inbound_at, p.last_two_way_at) >= :since) AS people,
           days.contacts, days.two_way,
           (SELECT array_agg(seconds) FROM (
                SELECT CAST(extract(epoch FROM closed_at - opened_at) AS double precision) AS seconds
                FROM expectation AS e
                WHERE e.tenant = wanted.tenant AND e.account_id = wanted.account_id AND e.closed_at >= :since
                ORDER BY closed_at DESC LIMIT 100) AS latest) AS seconds
    FROM unnest(CAST(:tenants AS text[]), CAST(:accounts AS uuid[])) AS wanted(tenant, account_id)
    LEFT JOIN touch AS t ON t.tenant = wanted.tenant AND t.account_id = wanted.account_id AND t.contact_id = :nobody
    LEFT JOIN LATERAL (
        SELECT sum(contacts) AS contacts, sum(two_way) AS two_way FROM touch_day AS d
        WHERE d.tenant = wanted.tenant AND d.account_id = wanted.account_id AND d.day >= :first_day
    ) AS days ON true
    ORDER BY wanted.tenant, wanted.account_id
""")

_PEOPLE = text("""
    SELECT contact_id, last_outbound_at, last_inbound_at, last_two_way_at FROM touch
    WHERE tenant = :tenant AND account_id = :account_id AND contact_id <> :nobody
    ORDER BY greatest(last_outbound_at, last_inbound_at, last_two_way_at) DESC, contact_id
    LIMIT :limit
""")


async def record(uow: UnitOfWork, changes: Sequence[Change]) -> None:
    """Move the last contacts by what changed, and say so of every account where they moved."""
    come = [change.after for change in changes if change.after and change.after.account_id]
    gone = [change.before for change in changes if change.before and change.before.account_id]
    await _count(uow.session, come, gone)
    moved = await _take_back(uow.session, {party for activity in gone for party in _parties(activity)})
    latest: dict[Party, Last] = {}
    for activity in come:
        _take(latest, activity, _parties(activity))
    moved |= await _move(uow.session, latest)
    await _say(uow, moved)


def _parties(activity: Activity) -> list[Party]:
    if activity.account_id is None or contact(activity) is None:
        return []
    return [(activity.tenant, activity.account_id, who) for who in {*activity.contact_ids, NOBODY}]


def _take(latest: dict[Party, Last], activity: Activity, parties: Iterable[Party]) -> None:
    how = contact(activity)
    if how is not None:
        for party in parties:
            latest[party] = latest.get(party, Last()).later(activity.occurred_at, how)


async def _move(session: AsyncSession, latest: Mapping[Party, Last]) -> set[tuple[str, UUID]]:
    """Move last contacts forward; gives the accounts whose own moved."""
    if not latest:
        return set()
    parties = sorted(latest)
    arrays = {
        **_arrays(parties),
        "outbound": [latest[party].outbound_at for party in parties],
        "inbound": [latest[party].inbound_at for party in parties],
        "two_way": [latest[party].two_way_at for party in parties],
    }
    rows = await session.execute(_MOVE, arrays)
    return {(row.tenant, row.account_id) for row in rows if row.moved and row.contact_id == NOBODY}


async def _take_back(session: AsyncSession, parties: set[Party]) -> set[tuple[str, UUID]]:
    """Look up the last contacts of parties anew; gives the accounts whose own moved."""
    if not parties:
        return set()
    wanted = sorted(parties)
    before = {
        (row.tenant, row.account_id): Last(row.last_outbound_at, row.last_inbound_at, row.last_two_way_at)
        for row in await session.execute(_TAKE_BACK, _arrays(wanted))
        if row.contact_id == NOBODY
    }
    latest: dict[Party, Last] = {}
    for row in await session.execute(_HISTORY, {**_arrays(wanted), "nobody": NOBODY}):
        _take(latest, activity_of(row), [(row.tenant, row.account_id, row.contact_id)])
    await _move(session, latest)
    return {account for account, last in before.items() if latest.get((*account, NOBODY), Last()) != last}


async def _count(session: AsyncSession, come: Sequence[Activity], gone: Sequence[Activity]) -> None:
    contacts: Counter[tuple[str, UUID, date]] = Counter()
    two_way: Counter[tuple[str, UUID, date]] = Counter()
    for sign, activities in ((1, come), (-1, gone)):
        for activity in activities:
            how = contact(activity)
            if how is not None and activity.account_id is not None:
                key = (activity.tenant, activity.account_id, activity.occurred_at.astimezone(UTC).date())
                contacts[key] += sign
                two_way[key] += sign * how.two_way
    wanted = sorted(key for key in contacts if contacts[key] or two_way[key])
    if wanted:
        arrays = {
            "tenants": [tenant for tenant, _, _ in wanted],
            "accounts": [account for _, account, _ in wanted],
            "days": [day for _, _, day in wanted],
            "contacts": [contacts[key] for key in wanted],
            "two_way": [two_way[key] for key in wanted],
        }
        await session.execute(_COUNT, arrays)


async def _say(uow: UnitOfWork, moved: set[tuple[str, UUID]]) -> None:
    for row in await read(uow.session, moved, uow.now):
        data = TouchRecorded(
            account_id=row.account_id,
            last_outbound_at=row.last_outbound_at,
            last_inbound_at=row.last_inbound_at,
            last_two_way_at=row.last_two_way_at,
            distinct_contacts_90d=row.people,
            response_time_median_hours=median_hours(row.seconds or []),
            two_way_ratio=ratio(row.two_way or 0, row.contacts or 0),
        )
        uow.emit(Event.of(data, tenant=row.tenant, subject=str(row.account_id), time=uow.now))


async def read(session: AsyncSession, accounts: Iterable[tuple[str, UUID]], as_of: Any) -> Sequence[Row[Any]]:
    """Last contacts of accounts and their figures of the 90 days before ``as_of``."""
    wanted = sorted(accounts)
    if not wanted:
        return []
    arrays = {"tenants": [tenant for tenant, _ in wanted], "accounts": [account for _, account in wanted]}
    given = {**arrays, "nobody": NOBODY, "since": as_of - PERIOD, "first_day": first_day(as_of)}
    return (await session.execute(_READ, given)).all()


async def people(session: AsyncSession, tenant: str, account_id: UUID, limit: int) -> Sequence[Row[Any]]:
    """Last contacts with each person of an account, the latest first."""
    given = {"tenant": tenant, "account_id": account_id, "nobody": NOBODY, "limit": limit}
    return (await session.execute(_PEOPLE, given)).all()


def _arrays(parties: Sequence[Party]) -> dict[str, list[Any]]:
    return {
        "tenants": [tenant for tenant, _, _ in parties],
        "accounts": [account for _, account, _ in parties],
        "contacts": [who for _, _, who in parties],
    }
