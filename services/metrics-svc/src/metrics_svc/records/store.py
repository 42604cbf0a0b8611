"""All SQL that tables of records share: taking in each once, finding accounts, following names that move."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, RowMapping, TextClause, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession

from bellwether_kit.db import UnitOfWork
from bellwether_kit.errors import DomainError
from bellwether_kit.http import ItemResult, Problem, problem_of
from bellwether_kit.ids import opaque_id
from metrics_svc.accounts import store as accounts
from metrics_svc.activities.rules import Status, statuses
from metrics_svc.contacts import store as contacts
from metrics_svc.errors import ERRORS, AmbiguousAccount
from metrics_svc.records.rules import Kept, PersonName, Record
from metrics_svc.records.tables import RecordColumns
from metrics_svc.references import store as references

_POSTGRESQL: Any = postgresql.dialect  # untyped in SQLAlchemy


@dataclass(frozen=True, slots=True)
class Shelf:
    """The statements of one table of records."""

    columns: tuple[str, ...]
    upsert: TextClause
    known: TextClause
    match: TextClause


def shelf(row: type[RecordColumns]) -> Shelf:
    """The statements for a table: its row class says name, columns and types."""
    table: Any = row.__table__  # type: ignore[attr-defined]
    types = {c.name: c.type.compile(dialect=_POSTGRESQL()) for c in table.columns if c.name != "tenant"}
    columns = tuple(types)
    arrays = ", ".join(f"CAST(:{name} AS {type_}[])" for name, type_ in types.items())
    sides = ", ".join(f"{side}.{name} AS {side}_{name}" for side in ("before", "after") for name in ("tenant", *types))
    returned = f"RETURNING WITH (OLD AS before, NEW AS after) {sides}"
    upsert = f"""
        INSERT INTO {table.name} AS kept (tenant, {", ".join(columns)})
        SELECT :tenant, * FROM unnest({arrays})
        ON CONFLICT (tenant, id) DO UPDATE
        SET {", ".join(f"{name} = EXCLUDED.{name}" for name in columns if name != "id")}
        WHERE kept.revision < EXCLUDED.revision
        {returned}
    """
    known = f"""
        SELECT id, revision, account_id FROM {table.name} WHERE tenant = :tenant AND id = ANY(CAST(:ids AS uuid[]))
    """
    named = """
        kept.tenant = named.tenant AND kept.reference_kind = named.kind
        AND kept.reference_source = named.source AND kept.reference_value = named.value
    """
    match = f"""
        UPDATE {table.name} AS kept SET account_id = named.account_id
        FROM unnest(CAST(:tenants AS text[]), CAST(:kinds AS text[]), CAST(:sources AS text[]),
                    CAST(:values AS text[]), CAST(:accounts AS uuid[]), CAST(:previous AS uuid[]))
             AS named(tenant, kind, source, value, account_id, previous)
        WHERE kept.account_id IS DISTINCT FROM named.account_id
          AND ((kept.account_id IS NULL AND {named}) OR (kept.account_id = named.previous AND {named}))
        {returned}
    """
    return Shelf(columns, text(upsert), text(known), text(match))


async def take(
    uow: UnitOfWork, shelf: Shelf, tenant: str, items: Sequence[Record | DomainError | Problem], *, author: str
) -> tuple[list[ItemResult], list[Kept]]:
    """Keep what is new or corrected, each record once; gives a result for each item, and what changed.

    Locks the accounts concerned, so that what follows for them happens one after the other.
    """
    told = [item for item in items if isinstance(item, Record)]
    known = {row.id: row.account_id for row in await _known(uow.session, shelf, tenant, told)}
    found = await references.claimants(uow.session, tenant, {record.account for record in told})
    homes: dict[Record, UUID | None] = {}
    judged: list[Record | DomainError | Problem] = []
    for item in items:
        home = _home(found.get(item.account, ()), known.get(item.id)) if isinstance(item, Record) else item
        judged.append(home if isinstance(home, DomainError | Problem) else item)
        if isinstance(item, Record) and not isinstance(home, DomainError | Problem):
            homes[item] = home
    changes = await _keep(uow, shelf, tenant, homes, author, set(known.values()))
    return await _results(uow.session, shelf, tenant, judged, changes), changes


def _home(claimants: Sequence[UUID], known: UUID | None) -> UUID | AmbiguousAccount | None:
    """The account a record belongs to. One that has an account keeps it for as long as its reference may mean it."""
    if known in claimants:
        return known
    if len(claimants) > 1:
        return AmbiguousAccount(
            "Several accounts have this domain: name the account by id.",
            pointer="/account/domain",
            candidates=[str(account) for account in claimants],
        )
    return claimants[0] if claimants else None


async def _results(
    session: AsyncSession,
    shelf: Shelf,
    tenant: str,
    judged: Sequence[Record | DomainError | Problem],
    changes: Sequence[Kept],
) -> list[ItemResult]:
    taken = [item for item in judged if isinstance(item, Record)]
    now = await _known(session, shelf, tenant, taken)
    revisions = {row.id: row.revision for row in now}
    for kept in changes:
        revisions.pop(kept.after["id"])
        if kept.before:
            revisions[kept.after["id"]] = kept.before["revision"]
    homeless = {row.id for row in now if row.account_id is None}
    became = iter(statuses([(record.id, record.revision) for record in taken], revisions))
    return [_result(item, next(became), homeless) if isinstance(item, Record) else _refused(item) for item in judged]


def _result(record: Record, status: Status, homeless: set[UUID]) -> ItemResult:
    unmatched = status is Status.ACCEPTED and record.id in homeless
    return ItemResult(status=Status.UNMATCHED if unmatched else status, id=record.id)


def _refused(why: DomainError | Problem) -> ItemResult:
    problem = why if isinstance(why, Problem) else problem_of(why, errors=ERRORS)
    return ItemResult(status=Status.REJECTED, problem=problem)


async def _keep(
    uow: UnitOfWork,
    shelf: Shelf,
    tenant: str,
    homes: Mapping[Record, UUID | None],
    author: str,
    before: set[UUID | None],
) -> list[Kept]:
    latest: dict[UUID, Record] = {}
    for record in homes:
        if record.id not in latest or record.revision > latest[record.id].revision:
            latest[record.id] = record
    if not latest:
        return []
    locked = before | set(homes.values())
    await lock(uow.session, tenant, locked)
    rows = [_row(uow, latest[id_], homes[latest[id_]], author) for id_ in sorted(latest)]
    arrays = {name: [row[name] for row in rows] for name in shelf.columns}
    changes = _kept((await uow.session.execute(shelf.upsert, {"tenant": tenant, **arrays})).mappings())
    await lock(uow.session, tenant, {side["account_id"] for kept in changes for side in kept.sides()} - locked)
    return changes


def _row(uow: UnitOfWork, record: Record, account_id: UUID | None, author: str) -> dict[str, Any]:
    return {
        "id": record.id,
        "source": record.source,
        "revision": record.revision,
        "account_id": account_id,
        "reference_kind": record.account.kind,
        "reference_source": record.account.source,
        "reference_value": record.account.value,
        "recorded_at": uow.now,
        "author": author,
        **record.values,
    }


def _kept(rows: Iterable[RowMapping]) -> list[Kept]:
    changes = []
    for row in rows:
        sides: dict[str, dict[str, Any]] = {"before": {}, "after": {}}
        for name, value in row.items():
            side, _, column = name.partition("_")
            sides[side][column] = value
        changes.append(Kept(sides["before"] if sides["before"]["id"] else None, sides["after"]))
    return changes


async def _known(session: AsyncSession, shelf: Shelf, tenant: str, told: Sequence[Record]) -> Sequence[Row[Any]]:
    ids = [record.id for record in told]
    return (await session.execute(shelf.known, {"tenant": tenant, "ids": ids})).all() if ids else []


async def lock(session: AsyncSession, tenant: str, ids: Iterable[UUID | None]) -> None:
    """Lock accounts of a tenant until the transaction ends."""
    await accounts.lock(session, {(tenant, id_) for id_ in ids if id_ is not None})


async def match(session: AsyncSession, shelf: Shelf, claims: Sequence[references.Claimed]) -> list[Kept]:
    """Give the records named by newly claimed references to their accounts, which the caller has locked.

    Takes those held back and those of the account that had the name before; where it names none they are held again.
    """
    if not claims:
        return []
    arrays = {
        "tenants": [claim.tenant for claim in claims],
        "kinds": [claim.reference.kind for claim in claims],
        "sources": [claim.reference.source for claim in claims],
        "values": [claim.reference.value for claim in claims],
        "accounts": [claim.account_id for claim in claims],
        "previous": [claim.previous for claim in claims],
    }
    return _kept((await session.execute(shelf.match, arrays)).mappings())


async def people(session: AsyncSession, tenant: str, names: Iterable[PersonName]) -> dict[PersonName, UUID]:
    """The ids that are kept for people: opaque, and as activities have them; nothing for those who were erased."""
    ids = {name: name.id or opaque_id(tenant, "contact", *name.parts()) for name in names}
    known = await contacts.canonical(session, tenant, set(ids.values()))
    return {name: who for name, id_ in ids.items() if (who := known.get(id_, id_)) is not None}
