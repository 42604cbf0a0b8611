"""All SQL of activities: taking them in by their identity, finding them again, giving them to an account."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Row, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession

from bellwether_kit.db import UnitOfWork
from metrics_svc.accounts import store as accounts
from metrics_svc.activities.rules import Activity, Change, Posted, Status, asked_contact, statuses
from metrics_svc.activities.tables import ActivityRow
from metrics_svc.contacts import store as contacts

READ = (
    "tenant, activity_id, source, revision, type, direction, outcome, occurred_at, recorded_at, starts_at, "
    "updated_at, account_id, contact_ids, owner_id, asks_reply, meeting_id, amount, kind, magnitude"
)
"""The columns an :class:`Activity` is made of."""

_FIELDS = READ.replace(" ", "").split(",")
_AS_TEXT = {"contact_ids": "uuid[]", "attributes": "jsonb"}
"""Lists and JSON travel as texts: an array of arrays would have to be a rectangle."""

_POSTGRESQL: Any = postgresql.dialect  # untyped in SQLAlchemy
_COLUMNS: Any = ActivityRow.__table__.columns  # type: ignore[attr-defined]
_WRITTEN = {
    column.name: "text" if column.name in _AS_TEXT else column.type.compile(dialect=_POSTGRESQL())
    for column in _COLUMNS
    if column.name != "tenant"
}
"""Column and type of its array."""

_UPSERT = text(f"""
    INSERT INTO activity AS kept (tenant, {", ".join(_WRITTEN)})
    SELECT :tenant, {", ".join(f"CAST({n} AS {_AS_TEXT[n]})" if n in _AS_TEXT else n for n in _WRITTEN)}
    FROM unnest({", ".join(f"CAST(:{name} AS {type_}[])" for name, type_ in _WRITTEN.items())})
         AS posted({", ".join(_WRITTEN)})
    ON CONFLICT (tenant, activity_id) DO UPDATE
    SET {", ".join(f"{name} = EXCLUDED.{name}" for name in _WRITTEN if name != "activity_id")}
    WHERE kept.revision < EXCLUDED.revision
    RETURNING WITH (OLD AS before, NEW AS after)
        {", ".join(f"before.{name} AS before_{name}" for name in _FIELDS)},
        {", ".join(f"after.{name} AS after_{name}" for name in _FIELDS)}
""")

_KNOWN = text("""
    SELECT activity_id, revision, account_id FROM activity
    WHERE tenant = :tenant AND activity_id = ANY(CAST(:ids AS uuid[]))
""")

_SINCE = text(f"""
    SELECT {READ}
    FROM unnest(CAST(:tenants AS text[]), CAST(:accounts AS uuid[]), CAST(:times AS timestamptz[]))
         AS wanted(tenant, account_id, since)
    JOIN activity USING (tenant, account_id)
    WHERE occurred_at >= since
""")

_MATCH = text(f"""
    UPDATE activity AS kept SET account_id = found.account_id
    FROM (
        SELECT held.tenant, held.activity_id, named.account_id
        FROM unnest(CAST(:tenants AS text[]), CAST(:kinds AS text[]), CAST(:sources AS text[]),
                    CAST(:values AS text[]), CAST(:accounts AS uuid[]), CAST(:previous AS uuid[]))
             AS named(tenant, kind, source, value, account_id, previous)
        JOIN activity AS held
          ON held.tenant = named.tenant AND held.account_id IS NOT DISTINCT FROM named.previous
         AND held.reference_kind = named.kind AND held.reference_source = named.source
         AND held.reference_value = named.value
        ORDER BY held.tenant, held.activity_id
        FOR UPDATE OF held
    ) AS found
    WHERE kept.tenant = found.tenant AND kept.activity_id = found.activity_id
    RETURNING WITH (OLD AS before, NEW AS after)
        before.account_id AS previous, {", ".join(f"after.{name} AS {name}" for name in _FIELDS)}
""")

_REKEY = text(f"""
    UPDATE activity AS kept
    SET contact_ids = array_replace(kept.contact_ids, alias_id, contact_id),
        asked_contact = CASE WHEN asked_contact = alias_id THEN contact_id ELSE asked_contact END
    FROM unnest(CAST(:tenants AS text[]), CAST(:accounts AS uuid[]), CAST(:aliases AS uuid[]),
                CAST(:contacts AS uuid[])) AS named(tenant, account_id, alias_id, contact_id)
    WHERE kept.tenant = named.tenant AND (kept.account_id = named.account_id OR kept.account_id IS NULL)
      AND alias_id = ANY(kept.contact_ids)
    RETURNING WITH (OLD AS before, NEW AS after)
        {", ".join(f"before.{name} AS before_{name}" for name in _FIELDS)},
        {", ".join(f"after.{name} AS after_{name}" for name in _FIELDS)}
""")


_VIEW = (
    "activity_id AS id, source, external_id, revision, type, direction, outcome, occurred_at, recorded_at, starts_at, "
    "account_id, contact_ids, owner_id, asks_reply, thread, in_reply_to, amount, currency, subject, attributes, kind, "
    "magnitude, note, author"
)

_FILTERS = {
    "account_id": "account_id = :account_id",
    "type": "type = :type",
    "source": "source = :source",
    "unmatched": "account_id IS NULL",
    "from_": "occurred_at >= :from_",
    "to": "occurred_at < :to",
}


@dataclass(frozen=True, slots=True)
class Taken:
    """What taking in a list of activities came to: a status for each, the changes, and the accounts' countries."""

    statuses: Sequence[Status]
    account_of: Mapping[UUID, UUID | None]
    changes: Sequence[Change]
    countries: Mapping[accounts.Key, str | None]


def activity_of(row: Row[Any], prefix: str = "") -> Activity:
    """The activity a row of :data:`READ` columns stands for."""
    values = {name: getattr(row, prefix + name) for name in _FIELDS}
    values["contact_ids"] = tuple(values["contact_ids"])
    return Activity(**values)


def _changes(rows: Iterable[Row[Any]]) -> list[Change]:
    return [
        Change(
            activity_of(row, "before_") if row.before_activity_id is not None else None,
            activity_of(row, "after_"),
        )
        for row in rows
    ]


async def take_in(uow: UnitOfWork, tenant: str, posted: Sequence[Posted]) -> Taken:
    """Store what is new or corrected, each identity once however often and by how many it is posted at a time.

    Locks the accounts concerned, so that what follows for them happens one after the other.
    """
    session = uow.session
    ids = [item.activity.activity_id for item in posted]
    known = {row.activity_id: row for row in await session.execute(_KNOWN, {"tenant": tenant, "ids": ids})}
    became = statuses(
        [(item.activity.activity_id, item.activity.revision) for item in posted],
        {id_: row.revision for id_, row in known.items()},
    )
    stored = {Status.ACCEPTED, Status.CORRECTED}
    winners = {item.activity.activity_id: item for item, status in zip(posted, became, strict=True) if status in stored}
    placed = await _placed(session, tenant, list(winners.values()))
    before = {known[id_].account_id for id_ in winners if id_ in known}
    wanted = {item.activity.account_id for item in placed} | before
    countries = await accounts.lock(session, {(tenant, account) for account in wanted if account})
    changes = await _store(session, tenant, placed)
    missed = {change.before.account_id for change in changes if change.before} - before - {None}
    if missed:
        countries |= await accounts.lock(session, {(tenant, account) for account in missed if account})
    if len(changes) < len(winners):
        became = await _overtaken(session, tenant, posted, became, {c.after.activity_id for c in changes if c.after})
    owners = {id_: row.account_id for id_, row in known.items()}
    owners |= {item.activity.activity_id: item.activity.account_id for item in placed}
    return Taken(became, owners, changes, countries)


async def _placed(session: AsyncSession, tenant: str, posted: Sequence[Posted]) -> list[Posted]:
    """The same with account and contacts filled in as far as they are known here."""
    found = await accounts.find(session, tenant, {item.reference for item in posted})
    aliases = await contacts.canonical(
        session, tenant, {contact for item in posted for contact in item.activity.contact_ids}
    )
    return [
        replace(
            item,
            activity=replace(
                item.activity,
                account_id=found.get(item.reference),
                contact_ids=tuple(dict.fromkeys(aliases.get(c, c) for c in item.activity.contact_ids)),
            ),
        )
        for item in posted
    ]


async def _store(session: AsyncSession, tenant: str, posted: Sequence[Posted]) -> list[Change]:
    if not posted:
        return []
    rows = [_row(item) for item in sorted(posted, key=lambda item: item.activity.activity_id)]
    arrays = {name: [row[name] for row in rows] for name in _WRITTEN}
    return _changes(await session.execute(_UPSERT, {"tenant": tenant, **arrays}))


def _row(item: Posted) -> dict[str, Any]:
    activity, reference = item.activity, item.reference
    row = {name: getattr(activity, name) for name in _WRITTEN if hasattr(activity, name)}
    row |= {name: getattr(item, name) for name in _WRITTEN if hasattr(item, name)}
    return row | {
        "contact_ids": "{" + ",".join(map(str, activity.contact_ids)) + "}",
        "attributes": msgspec.json.encode(dict(item.attributes)).decode(),
        "asked_contact": asked_contact(activity),
        "reference_kind": reference.kind,
        "reference_source": reference.source,
        "reference_value": reference.value,
    }


async def _overtaken(
    session: AsyncSession, tenant: str, posted: Sequence[Posted], became: Sequence[Status], stored: set[UUID]
) -> list[Status]:
    """The statuses after another request stored the same or a later revision between our look and our word."""
    ids = [item.activity.activity_id for item in posted]
    now = {row.activity_id: row.revision for row in await session.execute(_KNOWN, {"tenant": tenant, "ids": ids})}
    found = []
    for item, status in zip(posted, became, strict=True):
        lost = status in {Status.ACCEPTED, Status.CORRECTED} and item.activity.activity_id not in stored
        same = now.get(item.activity.activity_id) == item.activity.revision
        found.append((Status.DUPLICATE if same else Status.STALE) if lost else status)
    return found


async def since(session: AsyncSession, wanted: Mapping[accounts.Key, datetime]) -> list[Activity]:
    """All activities of accounts from a moment on, for deriving anew."""
    if not wanted:
        return []
    arrays = {
        "tenants": [tenant for tenant, _ in wanted],
        "accounts": [account for _, account in wanted],
        "times": list(wanted.values()),
    }
    return [activity_of(row) for row in await session.execute(_SINCE, arrays)]


async def match(session: AsyncSession, claims: Sequence[accounts.Claimed]) -> list[Change]:
    """Give the activities named by newly claimed references to their accounts.

    Takes those held back and those of the account that had the name before.
    """
    if not claims:
        return []
    wanted = [(claim, previous) for claim in claims for previous in {None, claim.previous}]
    arrays = {
        "tenants": [claim.tenant for claim, _ in wanted],
        "kinds": [claim.reference.kind for claim, _ in wanted],
        "sources": [claim.reference.source for claim, _ in wanted],
        "values": [claim.reference.value for claim, _ in wanted],
        "accounts": [claim.account_id for claim, _ in wanted],
        "previous": [previous for _, previous in wanted],
    }
    changes = []
    for row in await session.execute(_MATCH, arrays):
        after = activity_of(row)
        changes.append(Change(replace(after, account_id=row.previous), after))
    return changes


async def rekey(session: AsyncSession, aliases: Sequence[contacts.Claimed]) -> list[Change]:
    """Name people by the id that is now known for them in the activities of their account and in those held back."""
    if not aliases:
        return []
    arrays = {
        "tenants": [alias.tenant for alias in aliases],
        "accounts": [alias.account_id for alias in aliases],
        "aliases": [alias.alias_id for alias in aliases],
        "contacts": [alias.contact_id for alias in aliases],
    }
    return _changes(await session.execute(_REKEY, arrays))


async def listed(
    session: AsyncSession, tenant: str, filters: Mapping[str, Any], *, after: Sequence[Any] | None, limit: int
) -> Sequence[Row[Any]]:
    """Activities that fit, the latest first, from a position (time, id) on."""
    given = {name: value for name, value in filters.items() if value}
    where = ["tenant = :tenant", *(_FILTERS[name] for name in given)]
    if after is not None:
        where.append("(occurred_at, activity_id) < (CAST(:at AS timestamptz), CAST(:id AS uuid))")
        given |= {"at": after[0], "id": after[1]}
    query = (
        f"SELECT {_VIEW} FROM activity WHERE {' AND '.join(where)} "
        "ORDER BY occurred_at DESC, activity_id DESC LIMIT :limit"
    )
    return (await session.execute(text(query), {"tenant": tenant, "limit": limit, **given})).all()


async def one(session: AsyncSession, tenant: str, id_: UUID) -> Row[Any] | None:
    """The activity of an id, or None."""
    query = text(f"SELECT {_VIEW} FROM activity WHERE tenant = :tenant AND activity_id = :id")
    return (await session.execute(query, {"tenant": tenant, "id": id_})).first()
