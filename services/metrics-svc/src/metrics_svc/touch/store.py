"""All SQL of touch: moving the last contacts with people and accounts, and saying so once per account."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from bellwether_kit.db import UnitOfWork, arrays
from bellwether_kit.events import Event
from metrics_svc.activities.rules import NOBODY, Activity, Change
from metrics_svc.activities.store import READ, activity_of
from metrics_svc.published import TouchRecorded
from metrics_svc.touch.rules import PERIOD, Contact, Last, contact, first_day, median_hours, ratio

Party = tuple[str, UUID, UUID]
"""Tenant, account and contact; NOBODY stands for the account as a whole."""

PAGE = 64
"""Activities of a party that are looked through first for its last contact."""

_PARTY = "tenants accounts contacts"
_LAST_ID = UUID(int=2**128 - 1)


class Met(NamedTuple):
    """An activity as it counts here."""

    at: datetime
    how: Contact
    parties: frozenset[Party]


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

_STANDING = text("""
    SELECT tenant, account_id, contact_id, last_outbound_at, last_inbound_at, last_two_way_at FROM touch
    JOIN unnest(CAST(:tenants AS text[]), CAST(:accounts AS uuid[]), CAST(:contacts AS uuid[]))
         AS wanted(tenant, account_id, contact_id) USING (tenant, account_id, contact_id)
""")

# Taking the last contact back is rare, so its predecessor is looked up, a page at a time, instead of being kept.
_TAKE_BACK = text("""
    DELETE FROM touch USING unnest(CAST(:tenants AS text[]), CAST(:accounts AS uuid[]), CAST(:contacts AS uuid[]))
                            AS gone(tenant, account_id, contact_id)
    WHERE touch.tenant = gone.tenant AND touch.account_id = gone.account_id AND touch.contact_id = gone.contact_id
""")

_EARLIER = text(f"""
    SELECT wanted.contact_id AS who, a.*
    FROM unnest(CAST(:tenants AS text[]), CAST(:accounts AS uuid[]), CAST(:contacts AS uuid[]),
                CAST(:times AS timestamptz[]), CAST(:ids AS uuid[]))
         AS wanted(tenant, account_id, contact_id, at, id)
    CROSS JOIN LATERAL (
        SELECT {READ} FROM activity
        WHERE tenant = wanted.tenant AND account_id = wanted.account_id
          AND (occurred_at, activity_id) < (wanted.at, wanted.id)
          AND (wanted.contact_id = :nobody OR wanted.contact_id = ANY(contact_ids))
        ORDER BY occurred_at DESC, activity_id DESC LIMIT :page
    ) AS a
    ORDER BY a.occurred_at DESC, a.activity_id DESC
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

_WITH = text("""
    SELECT tenant, account_id, contact_id FROM touch
    JOIN unnest(CAST(:tenants AS text[]), CAST(:contacts AS uuid[])) AS wanted(tenant, contact_id)
      USING (tenant, contact_id)
""")


async def accounts_with(session: AsyncSession, people: Iterable[tuple[str, UUID]]) -> Sequence[Row[Any]]:
    """The accounts (tenant, account, contact) at which there was contact with people (tenant, contact)."""
    return (await session.execute(_WITH, arrays("tenants contacts", list(people)))).all()


async def record(uow: UnitOfWork, changes: Sequence[Change]) -> None:
    """Move the last contacts by what changed, and say so of every account where they moved."""
    moves = [(was, now) for was, now in map(_told, changes) if was != now]
    come = [now for _, now in moves if now is not None]
    gone = [was for was, _ in moves if was is not None]
    await _count(uow.session, come, gone)
    moved = await _take_back(uow.session, gone)
    latest: dict[Party, Last] = {}
    for met in come:
        for party in met.parties:
            latest[party] = latest.get(party, Last()).later(met.at, met.how)
    moved |= await _move(uow.session, latest)
    await _say(uow, moved)


def _told(change: Change) -> tuple[Met | None, Met | None]:
    return _met(change.before), _met(change.after)


def _met(activity: Activity | None) -> Met | None:
    how = contact(activity) if activity is not None else None
    if activity is None or activity.account_id is None or how is None:
        return None
    people = {*activity.contact_ids, NOBODY}
    parties = frozenset((activity.tenant, activity.account_id, who) for who in people)
    return Met(activity.occurred_at, how, parties)


async def _move(session: AsyncSession, latest: Mapping[Party, Last]) -> set[tuple[str, UUID]]:
    """Move last contacts forward; gives the accounts whose own moved."""
    if not latest:
        return set()
    rows = [(*party, latest[party].outbound_at, latest[party].inbound_at, latest[party].two_way_at) for party in latest]
    told = await session.execute(_MOVE, arrays(f"{_PARTY} outbound inbound two_way", rows))
    return {(row.tenant, row.account_id) for row in told if row.moved and row.contact_id == NOBODY}


async def _take_back(session: AsyncSession, gone: Sequence[Met]) -> set[tuple[str, UUID]]:
    """Look up the last contacts anew that are no more; gives the accounts whose own moved."""
    parties = list({party for met in gone for party in met.parties})
    if not parties:
        return set()
    stood = {
        (row.tenant, row.account_id, row.contact_id): Last(
            row.last_outbound_at, row.last_inbound_at, row.last_two_way_at
        )
        for row in await session.execute(_STANDING, arrays(_PARTY, parties))
    }
    left = dict(stood)
    for met in gone:
        for party in met.parties & left.keys():
            left[party] = left[party].without(met.at, met.how)
    fallen = {party: last for party, last in left.items() if last != stood[party]}
    if not fallen:
        return set()
    latest = await _predecessors(session, fallen, stood)
    await session.execute(_TAKE_BACK, arrays(_PARTY, list(fallen)))
    await _move(session, {party: last for party, last in latest.items() if last != Last()})
    return {party[:2] for party, last in latest.items() if party[2] == NOBODY and last != stood[party]}


async def _predecessors(
    session: AsyncSession, fallen: Mapping[Party, Last], stood: Mapping[Party, Last]
) -> dict[Party, Last]:
    """The ``fallen`` with what stands now in place of what they lack, as far as there is something."""
    found, page = dict(fallen), PAGE
    places = {party: (stood[party].latest(), _LAST_ID) for party in fallen}
    while places:
        wanted = [(*party, *place) for party, place in places.items()]
        given = {**arrays(f"{_PARTY} times ids", wanted), "nobody": NOBODY, "page": page}
        read: Counter[Party] = Counter()
        for row in await session.execute(_EARLIER, given):
            party = (row.tenant, row.account_id, row.who)
            read[party] += 1
            places[party] = (row.occurred_at, row.activity_id)
            how = contact(activity_of(row))
            if how is not None:
                found[party] = found[party].filled(row.occurred_at, how, stood[party])
        places = {party: places[party] for party, n in read.items() if n == page and found[party].lacks(stood[party])}
        page *= 8
    return found


async def _count(session: AsyncSession, come: Sequence[Met], gone: Sequence[Met]) -> None:
    contacts: Counter[tuple[str, UUID, date]] = Counter()
    two_way: Counter[tuple[str, UUID, date]] = Counter()
    for sign, meetings in ((1, come), (-1, gone)):
        for met in meetings:
            tenant, account_id, _ = next(iter(met.parties))
            key = (tenant, account_id, met.at.astimezone(UTC).date())
            contacts[key] += sign
            two_way[key] += sign * met.how.two_way
    rows = [(*key, contacts[key], two_way[key]) for key in contacts if contacts[key] or two_way[key]]
    if rows:
        await session.execute(_COUNT, arrays("tenants accounts days contacts two_way", rows))


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
    wanted = list(accounts)
    if not wanted:
        return []
    given = {
        **arrays("tenants accounts", wanted),
        "nobody": NOBODY,
        "since": as_of - PERIOD,
        "first_day": first_day(as_of),
    }
    return (await session.execute(_READ, given)).all()


async def people(session: AsyncSession, tenant: str, account_id: UUID, limit: int) -> Sequence[Row[Any]]:
    """Last contacts with each person of an account, the latest first."""
    given = {"tenant": tenant, "account_id": account_id, "nobody": NOBODY, "limit": limit}
    return (await session.execute(_PEOPLE, given)).all()
