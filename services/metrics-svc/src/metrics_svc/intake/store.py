"""The SQL by which activities come in: each identity once, however often and by how many it is posted."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession

from bellwether_kit.db import UnitOfWork, array, arrays
from bellwether_kit.errors import DomainError
from bellwether_kit.ids import opaque_id
from metrics_svc.accounts import store as accounts
from metrics_svc.activities.rules import (
    OBSERVATION,
    OUTCOMES,
    Activity,
    Change,
    Posted,
    Reference,
    Status,
    asked_contact,
    refusal,
    statuses,
)
from metrics_svc.activities.store import BEFORE, activity_of
from metrics_svc.activities.tables import ActivityRow
from metrics_svc.contacts import store as contacts
from metrics_svc.derivation.store import follow
from metrics_svc.errors import AmbiguousAccount, RetiredEvidenceKind, UnknownEvidenceKind, error_of
from metrics_svc.evidence.rules import CATALOGUE, Kind
from metrics_svc.intake.rules import Told, revision_of
from metrics_svc.references import store as references
from metrics_svc.sources import store as sources
from metrics_svc.terms.store import attributes_read, catalogue

OBSERVED: Mapping[str, frozenset[str]] = {OBSERVATION: frozenset()}
"""What may come in as evidence that a person saw."""

_AS_TEXT = {"contact_ids": "uuid[]", "attributes": "jsonb"}
"""Lists and JSON travel as texts: an array of arrays would have to be a rectangle."""

_POSTGRESQL: Any = postgresql.dialect  # untyped in SQLAlchemy
_COLUMNS: Any = ActivityRow.__table__.columns  # type: ignore[attr-defined]
_WRITTEN = {
    column.name: "text" if column.name in _AS_TEXT else column.type.compile(dialect=_POSTGRESQL())
    for column in _COLUMNS
    if column.name not in {"tenant", "placed_by"}
}
"""Column and type of its array."""

_ACTIVITY = [name for name in _WRITTEN if name in Activity.__dataclass_fields__]
_POSTED = [name for name in _WRITTEN if name in Posted.__dataclass_fields__]
_of_activity, _of_posted = attrgetter(*_ACTIVITY), attrgetter(*_POSTED)
_SENT = [*_ACTIVITY, *_POSTED, "asked_contact", "reference_kind", "reference_source", "reference_value"]

_UPSERT = text(f"""
    INSERT INTO activity AS kept (tenant, {", ".join(_WRITTEN)})
    SELECT :tenant, {", ".join(f"CAST({n} AS {_AS_TEXT[n]})" if n in _AS_TEXT else n for n in _WRITTEN)}
    FROM unnest({", ".join(f"CAST(:{name} AS {type_}[])" for name, type_ in _WRITTEN.items())})
         AS posted({", ".join(_WRITTEN)})
    ON CONFLICT (tenant, activity_id) DO UPDATE
    SET {", ".join(f"{name} = EXCLUDED.{name}" for name in _WRITTEN if name not in {"activity_id", "account_id"})},
        account_id = CASE WHEN kept.placed_by IS NULL THEN EXCLUDED.account_id ELSE kept.account_id END
    WHERE kept.revision < EXCLUDED.revision
    RETURNING WITH (OLD AS before, NEW AS after) {BEFORE}, after.activity_id, after.account_id
""")

_KNOWN = text("""
    SELECT activity_id, revision, account_id, placed_by FROM activity
    WHERE tenant = :tenant AND activity_id = ANY(CAST(:ids AS uuid[]))
""")

Known = Mapping[UUID, Row[Any]]
Claimants = Mapping[Reference, tuple[UUID, ...]]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one item, and the account it is now with; None when no account is known by its reference."""

    status: Status
    activity_id: UUID
    account_id: UUID | None


@dataclass(frozen=True, slots=True)
class Taken:
    """What taking in a list of activities came to: a result for each, the changes, and the accounts' countries."""

    results: Sequence[Result | AmbiguousAccount]
    changes: Sequence[Change]
    countries: Mapping[accounts.Key, str | None]


async def accept(
    uow: UnitOfWork, tenant: str, told: Sequence[Told], *, author: str | None, dry_run: bool = False
) -> list[Result | DomainError]:
    """Take in what a source tells and derive what follows; for each item what became of it, or why it is refused.

    ``author`` is who says so: a person, a machine or an adapter's connection. With ``dry_run`` nothing follows, and
    the caller commits nothing.
    """
    kinds = CATALOGUE
    if any(item.kind is not None and item.kind not in kinds for item in told):
        kinds = await catalogue(uow.session, tenant)
    judged = [_judged(item, uow, tenant, author, kinds) for item in told]
    taken = await take_in(uow, tenant, [item for item in judged if isinstance(item, Posted)])
    if not dry_run:
        await follow(uow, taken.changes, taken.countries)
        told_by = (item.activity.source for item in judged if isinstance(item, Posted) and item.activity.kind is None)
        await sources.heard(uow, tenant, Counter(told_by))
    became = iter(taken.results)
    return [next(became) if isinstance(item, Posted) else item for item in judged]


def _judged(
    told: Told, uow: UnitOfWork, tenant: str, author: str | None, kinds: Mapping[str, Kind]
) -> Posted | DomainError:
    posted = posted_of(told, tenant=tenant, now=uow.now, author=author)
    observed = told.type == OBSERVATION and told.kind is not None
    kind = kinds.get(told.kind or "")
    if observed and kind is None:
        return UnknownEvidenceKind("There is no such kind of evidence.", pointer="/kind")
    if kind is not None and kind.retired:
        return RetiredEvidenceKind("Nothing new can be of this kind.", pointer="/kind")
    broken = refusal(posted, uow.now, OBSERVED if observed else OUTCOMES)
    return posted if broken is None else error_of(*broken)


def posted_of(told: Told, *, tenant: str, now: datetime, author: str | None) -> Posted:
    """What is told as it will be stored: identities computed, people and owner as opaque ids."""
    identity = OBSERVATION if told.kind is not None else "activity"
    activity = Activity(
        tenant=tenant,
        activity_id=opaque_id(tenant, identity, told.source, told.external_id),
        source=told.source,
        type=told.type,
        revision=revision_of(told.revision, told.updated_at),
        occurred_at=told.occurred_at,
        recorded_at=now,
        updated_at=told.updated_at,
        starts_at=told.starts_at,
        direction=told.direction,
        outcome=told.outcome,
        contact_ids=tuple(dict.fromkeys(_person(tenant, contact) for contact in told.contacts)),
        owner_id=opaque_id(tenant, "user", told.owner.lower()) if told.owner else None,
        asks_reply=told.asks_reply,
        meeting_id=opaque_id(tenant, "meeting", told.source, told.thread or told.external_id)
        if told.type == "meeting"
        else None,
        amount=told.amount,
        kind=told.kind,
        magnitude=told.magnitude,
    )
    return Posted(
        activity=activity,
        external_id=told.external_id,
        reference=told.account,
        thread=told.thread,
        in_reply_to=told.in_reply_to,
        currency=told.currency,
        subject=told.subject,
        attributes=told.attributes,
        note=told.note,
        author=author,
    )


def _person(tenant: str, contact: Reference) -> UUID:
    """The id that is kept for a person; of an e-mail address a hash."""
    if contact.kind == "id":
        return UUID(contact.value)
    return opaque_id(tenant, "contact", "email" if contact.kind == "email" else contact.source, contact.value)


async def take_in(uow: UnitOfWork, tenant: str, posted: Sequence[Posted]) -> Taken:
    """Store what is new or corrected, each identity once however often and by how many it is posted at a time.

    Locks the accounts concerned, so that what follows for them happens one after the other.
    """
    ids = [item.activity.activity_id for item in posted]
    known = {row.activity_id: row for row in await uow.session.execute(_KNOWN, {"tenant": tenant, "ids": array(ids)})}
    revisions = {id_: row.revision for id_, row in known.items()}
    news = {item.reference for item in posted if item.activity.revision > revisions.get(item.activity.activity_id, -1)}
    found = await references.claimants(uow.session, tenant, news)
    homes = [_home(item, found, known.get(item.activity.activity_id)) for item in posted]
    clear = [item for item, home in zip(posted, homes, strict=True) if not isinstance(home, AmbiguousAccount)]
    taken = await _take(uow.session, tenant, clear, known, found)
    became = iter(taken.results)
    return replace(taken, results=[home if isinstance(home, AmbiguousAccount) else next(became) for home in homes])


def _home(item: Posted, found: Claimants, known: Row[Any] | None) -> UUID | AmbiguousAccount | None:
    """The account an activity belongs to. One that has an account keeps it for as long as its reference may mean it."""
    claimants = found.get(item.reference, ())
    if known is not None and (known.placed_by is not None or known.account_id in claimants):
        kept: UUID | None = known.account_id
        return kept
    if len(claimants) > 1:
        return AmbiguousAccount(
            "Several accounts have this domain: name the account by id.",
            pointer="/account/domain",
            candidates=[str(account) for account in claimants],
        )
    return claimants[0] if claimants else None


async def _take(session: AsyncSession, tenant: str, posted: Sequence[Posted], known: Known, found: Claimants) -> Taken:
    ids = [item.activity.activity_id for item in posted]
    revisions = {id_: row.revision for id_, row in known.items()}
    became = statuses([(item.activity.activity_id, item.activity.revision) for item in posted], revisions)
    stored = {Status.ACCEPTED, Status.CORRECTED}
    winners = {item.activity.activity_id: item for item, status in zip(posted, became, strict=True) if status in stored}
    placed = await _placed(session, tenant, list(winners.values()), known, found)
    # Stored first, locked then: what others derive of the same accounts meanwhile need not wait for our writing.
    changes = await _store(session, tenant, placed)
    touched = {
        (tenant, version.account_id) for change in changes for version in change.versions() if version.account_id
    }
    countries = await accounts.lock(session, touched)
    if len(changes) < len(winners):
        became = await _overtaken(session, tenant, posted, became, {c.after.activity_id for c in changes if c.after})
    owners = {id_: row.account_id for id_, row in known.items()}
    owners |= {item.activity.activity_id: item.activity.account_id for item in placed}
    owner = owners.get
    results = [
        Result(Status.UNMATCHED if status is Status.ACCEPTED and owner(id_) is None else status, id_, owner(id_))
        for id_, status in zip(ids, became, strict=True)
    ]
    return Taken(results, changes, countries)


async def _placed(
    session: AsyncSession, tenant: str, posted: Sequence[Posted], known: Known, found: Claimants
) -> list[Posted]:
    """The same with account and contacts filled in as far as they are known here."""
    aliases = await contacts.canonical(
        session, tenant, {contact for item in posted for contact in item.activity.contact_ids}
    )
    placed = []
    for item in posted:
        people = [aliases.get(contact, contact) for contact in item.activity.contact_ids]
        home = _home(item, found, known.get(item.activity.activity_id))
        activity = replace(
            item.activity,
            account_id=home if isinstance(home, UUID) else None,
            contact_ids=tuple(dict.fromkeys(person for person in people if person is not None)),
        )
        texts = await _without_texts(session, tenant, item) if None in people else {}
        placed.append(replace(item, activity=activity, **texts))
    return placed


async def _without_texts(session: AsyncSession, tenant: str, item: Posted) -> dict[str, Any]:
    """What is left of texts that may name somebody who was erased: the attributes that rules look at."""
    read = await attributes_read(session, tenant)
    attributes = {name: item.attributes[name] for name in read if name in item.attributes}
    return {"subject": None, "note": None, "thread": None, "in_reply_to": None, "attributes": attributes}


async def _store(session: AsyncSession, tenant: str, posted: Sequence[Posted]) -> list[Change]:
    if not posted:
        return []
    sent = {item.activity.activity_id: item for item in sorted(posted, key=lambda item: item.activity.activity_id)}
    given = {**arrays(" ".join(_SENT), map(_row, sent.values())), "tenant": tenant}
    changes = []
    for row in await session.execute(_UPSERT, given):
        after = sent[row.activity_id].activity
        if row.before_activity_id is None:
            changes.append(Change(None, after))
        else:
            changes.append(Change(activity_of(row, "before_"), replace(after, account_id=row.account_id)))
    return changes


def _row(item: Posted) -> tuple[Any, ...]:
    named = (item.reference.kind, item.reference.source, item.reference.value)
    return (*_of_activity(item.activity), *_of_posted(item), asked_contact(item.activity), *named)


async def _overtaken(
    session: AsyncSession, tenant: str, posted: Sequence[Posted], became: Sequence[Status], stored: set[UUID]
) -> list[Status]:
    """The statuses after another request stored the same or a later revision between our look and our word."""
    ids = [item.activity.activity_id for item in posted]
    now = {
        row.activity_id: row.revision for row in await session.execute(_KNOWN, {"tenant": tenant, "ids": array(ids)})
    }
    found = []
    for item, status in zip(posted, became, strict=True):
        lost = status in {Status.ACCEPTED, Status.CORRECTED} and item.activity.activity_id not in stored
        same = now.get(item.activity.activity_id) == item.activity.revision
        found.append((Status.DUPLICATE if same else Status.STALE) if lost else status)
    return found
