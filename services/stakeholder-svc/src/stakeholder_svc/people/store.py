"""All SQL of people. What is saved or erased here is also said on topic ``stakeholders``."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import Select, any_, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bellwether_kit.db import UnitOfWork
from bellwether_kit.events import Event
from stakeholder_svc import published
from stakeholder_svc.accounts import store as accounts
from stakeholder_svc.accounts.rules import ExternalId
from stakeholder_svc.grid.rules import Grid
from stakeholder_svc.people.rules import (
    Certainty,
    Change,
    Facts,
    Known,
    Person,
    PersonId,
    Role,
    Sentiment,
    Status,
)
from stakeholder_svc.people.tables import ErasedRow, ExternalIdRow, PersonRow
from stakeholder_svc.tables import Table

_COLUMNS = [column.name for column in Table.metadata.tables["person"].columns]
_MARKS = tuple(Grid.__dataclass_fields__)
_SAME = tuple(name for name in Facts.__dataclass_fields__ if name in _COLUMNS)
"""The facts that a column of the same name holds as they are."""

_ONE_WRITER = text("SELECT pg_advisory_xact_lock(hashtext('people'), hashtext(:tenant))")

_BEARERS = text("""
    SELECT source, external_id, person_id FROM person_external_id
    WHERE tenant = :tenant
      AND (source, external_id) IN (SELECT * FROM unnest(CAST(:sources AS text[]), CAST(:names AS text[])))
""")

_LINES = text("""
    WITH RECURSIVE line AS (
        SELECT id, account_id, reports_to FROM person WHERE tenant = :tenant AND id = ANY(CAST(:ids AS uuid[]))
        UNION
        SELECT up.id, up.account_id, up.reports_to
        FROM line JOIN person AS up ON up.tenant = :tenant AND up.id = line.reports_to
    )
    SELECT id, account_id, reports_to FROM line
""")

_SAVE = text(f"""
    INSERT INTO person ({", ".join(_COLUMNS)})
    SELECT {", ".join(_COLUMNS)} FROM jsonb_populate_recordset(CAST(NULL AS person), CAST(:rows AS jsonb))
    ON CONFLICT (tenant, id) DO UPDATE SET {", ".join(f"{name} = EXCLUDED.{name}" for name in _COLUMNS)}
""")

_NAME = text("""
    INSERT INTO person_external_id (tenant, source, external_id, person_id)
    SELECT :tenant, * FROM unnest(CAST(:sources AS text[]), CAST(:names AS text[]), CAST(:bearers AS uuid[]))
    ON CONFLICT (tenant, source, external_id) DO NOTHING
""")

_ERASE = text("""
    WITH gone AS (
        DELETE FROM person
        WHERE (tenant, id) IN (SELECT * FROM unnest(CAST(:tenants AS text[]), CAST(:ids AS uuid[])))
        RETURNING tenant, id, account_id, version + 1 AS version
    ), kept AS (
        INSERT INTO erased_person AS e (tenant, id, version, erased_at)
        SELECT tenant, id, version, :now FROM gone
        ON CONFLICT (tenant, id) DO UPDATE SET version = EXCLUDED.version, erased_at = EXCLUDED.erased_at
    )
    SELECT tenant, id, account_id, version FROM gone ORDER BY tenant, id
""")


@dataclass(frozen=True)
class Filters:
    """Which people a list shows; None means all."""

    account_id: UUID | None = None
    role: str | None = None
    sentiment: str | None = None
    status: str | None = None


async def one_writer(session: AsyncSession, tenants: Iterable[str]) -> None:
    """Wait until no other transaction changes these tenants' people; others wait for its end.

    People hang together by superiors, external ids and coverage; one lock for all of a tenant's is what keeps a
    check of them true. They change seldom and a batch of 500 takes milliseconds.
    """
    for tenant in sorted(set(tenants)):
        await session.execute(_ONE_WRITER, {"tenant": tenant})


async def find(session: AsyncSession, tenant: str, person_id: UUID) -> Person | None:
    """The person, or None when the tenant has no such one."""
    return (await _load(session, tenant, [person_id])).get(PersonId(person_id))


async def page(
    session: AsyncSession, tenant: str, filters: Filters, *, after: tuple[datetime, UUID] | None, limit: int
) -> list[Person]:
    """People, the newest first, from before a (created at, id) on."""
    keys = (col(PersonRow.created_at), col(PersonRow.id))
    query = select(PersonRow).where(col(PersonRow.tenant) == tenant)
    for name in ("account_id", "sentiment", "status"):
        wanted = getattr(filters, name)
        if wanted is not None:
            query = query.where(getattr(PersonRow, name) == wanted)
    if filters.role is not None:
        query = query.where(any_(col(PersonRow.decision_roles)) == filters.role)
    if after is not None:
        query = query.where(tuple_(*keys) < tuple_(*after))
    return await _people(session, tenant, query.order_by(*(key.desc() for key in keys)).limit(limit))


async def of_account(session: AsyncSession, tenant: str, account_id: UUID) -> list[Person]:
    """The active people of an account."""
    query = select(PersonRow).where(
        col(PersonRow.tenant) == tenant,
        col(PersonRow.account_id) == account_id,
        col(PersonRow.status) == Status.ACTIVE,
    )
    return await _people(session, tenant, query.order_by(col(PersonRow.created_at), col(PersonRow.id)))


async def reporting_to(session: AsyncSession, tenant: str, person_id: UUID) -> list[Person]:
    """Who reports to a person directly."""
    query = select(PersonRow).where(col(PersonRow.tenant) == tenant, col(PersonRow.reports_to) == person_id)
    return await _people(session, tenant, query.order_by(col(PersonRow.id)))


async def known(session: AsyncSession, tenant: str, changes: Sequence[Change], new_ids: Collection[UUID]) -> Known:
    """All that is on record about what ``changes`` name; ``new_ids`` are ids that new people may get."""
    superiors = [change.facts.get("reports_to") for change in changes]
    own = {name for change in changes for name in change.external_ids}
    named = own | {superior for superior in superiors if isinstance(superior, ExternalId)}
    found = await session.execute(_BEARERS, {"tenant": tenant, **_columns(named)})
    bearers = {ExternalId(source, name): PersonId(id_) for source, name, id_ in found}
    people = await _load(session, tenant, {bearers[name] for name in own & bearers.keys()})
    above = [bearers.get(name) if isinstance(name, ExternalId) else name for name in superiors]
    lines = await session.execute(_LINES, {"tenant": tenant, "ids": [id_ for id_ in above if id_ is not None]})
    erased = select(ErasedRow).where(col(ErasedRow.tenant) == tenant, col(ErasedRow.id).in_(new_ids))
    return Known(
        people,
        bearers,
        {PersonId(id_): (account_id, superior) for id_, account_id, superior in lines},
        await accounts.resolve(session, tenant, {c.account for c in changes if c.account is not None}),
        {PersonId(row.id): row.version for row in await session.scalars(erased)},
    )


async def save(uow: UnitOfWork, tenant: str, states: Sequence[Person]) -> None:
    """Store the last of each person's ``states`` and say every one, in order; two statements for all."""
    last = {person.id: person for person in states}
    if not last:
        return
    bearers = {name: person.id for person in last.values() for name in person.external_ids}
    rows = msgspec.json.encode([_row(tenant, person) for person in last.values()]).decode()
    await uow.session.execute(_SAVE, {"rows": rows})
    await uow.session.execute(_NAME, {"tenant": tenant, **_columns(bearers), "bearers": list(bearers.values())})
    uow.emit(*(_changed(tenant, person) for person in states))


async def erase(uow: UnitOfWork, people: Collection[tuple[str, UUID]], *, reason: str) -> None:
    """Delete all that is known of people (tenant, id), and say so, with tombstones behind it."""
    keys = {"tenants": [tenant for tenant, _ in people], "ids": [id_ for _, id_ in people]}
    for tenant, id_, account_id, version in await uow.session.execute(_ERASE, {**keys, "now": uow.now}):
        gone = published.StakeholderRemoved(stakeholder_id=id_, account_id=account_id, version=version, reason=reason)
        key = f"{tenant}/{id_}"
        uow.emit(
            Event.of(gone, tenant=tenant, subject=str(account_id), key=key, time=uow.now, sequence=version),
            Event.tombstone_of(gone.topic, tenant=tenant, key=key, time=uow.now),
        )


async def erase_of_accounts(uow: UnitOfWork, keys: Collection[tuple[str, UUID]]) -> None:
    """Erase everybody at accounts that are no more."""
    query = select(col(PersonRow.tenant), col(PersonRow.id)).where(
        tuple_(col(PersonRow.tenant), col(PersonRow.account_id)).in_(list(keys))
    )
    people = [(tenant, id_) for tenant, id_ in await uow.session.execute(query)]
    await erase(uow, people, reason="account-removed")


def _columns(names: Collection[ExternalId]) -> dict[str, list[str]]:
    return {"sources": [name.source for name in names], "names": [name.external_id for name in names]}


async def _load(session: AsyncSession, tenant: str, ids: Collection[UUID]) -> dict[PersonId, Person]:
    query = select(PersonRow).where(col(PersonRow.tenant) == tenant, col(PersonRow.id).in_(ids))
    return {person.id: person for person in await _people(session, tenant, query)}


async def _people(session: AsyncSession, tenant: str, query: Select[PersonRow]) -> list[Person]:
    rows = (await session.scalars(query)).all()
    names: dict[UUID, set[ExternalId]] = {row.id: set() for row in rows}
    borne = select(ExternalIdRow).where(
        col(ExternalIdRow.tenant) == tenant, col(ExternalIdRow.person_id).in_(list(names))
    )
    for name in await session.scalars(borne):
        names[name.person_id].add(ExternalId(name.source, name.external_id))
    return [_person(row, frozenset(names[row.id])) for row in rows]


def _person(row: PersonRow, names: frozenset[ExternalId]) -> Person:
    facts = {name: getattr(row, name) for name in _SAME} | {
        "decision_roles": tuple(Role(role) for role in row.decision_roles),
        "sentiment": Sentiment(row.sentiment),
        "certainty": Certainty(row.certainty),
        "status": Status(row.status),
        "priorities": tuple(row.priorities),
        "contacts": tuple(row.contacts),
        "grid": Grid(**{mark: getattr(row, mark) for mark in _MARKS}) if row.power is not None else None,
    }
    return Person(PersonId(row.id), row.account_id, row.version, row.created_at, row.updated_at, Facts(**facts), names)


def _row(tenant: str, person: Person) -> dict[str, object]:
    facts = person.facts
    marks = asdict(facts.grid) if facts.grid else dict.fromkeys(_MARKS)
    return {name: getattr(facts, name) for name in _SAME} | {
        "tenant": tenant,
        "id": person.id,
        "account_id": person.account_id,
        "version": person.version,
        "created_at": person.created_at,
        "updated_at": person.updated_at,
        **marks,
    }


def _changed(tenant: str, person: Person) -> Event:
    facts = person.facts
    said = published.StakeholderChanged(
        stakeholder_id=person.id,
        account_id=person.account_id,
        external_ids=[
            published.ExternalId(source=name.source, external_id=name.external_id)
            for name in sorted(person.external_ids)
        ],
        decision_roles=[str(role) for role in facts.decision_roles],
        veto=facts.veto,
        sentiment=str(facts.sentiment),
        status=facts.status.value,
        power=facts.grid.power if facts.grid else None,
        version=person.version,
    )
    return Event.of(
        said,
        tenant=tenant,
        subject=str(person.account_id),
        key=f"{tenant}/{person.id}",
        time=person.updated_at,
        sequence=person.version,
    )
