"""All SQL of evidence: recording what was found, withdrawing, reading. Only here evidence becomes an event."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from bellwether_kit.db import UnitOfWork, arrays
from bellwether_kit.events import Event
from bellwether_kit.ids import opaque_id
from metrics_svc.evidence.rules import Evidence, Findings, Kind, Recorded, Revision, Slot, reconcile
from metrics_svc.published import EvidenceRecorded, EvidenceRetracted

KindOf = Callable[[str, str], Kind]
"""The kind that a code stands for at a tenant: (tenant, code)."""

_COLUMNS = (
    "tenant, evidence_id, account_id, rule, anchor, kind, family, dimension, polarity, magnitude, observed_at, "
    "recorded_at, revision, source, contact_ids, owner_id, activity_ids, retracted_for, withdrawn_by"
)

_ON_RECORD = text(f"""
    SELECT {_COLUMNS} FROM evidence
    JOIN unnest(CAST(:tenants AS text[]), CAST(:ids AS uuid[])) AS wanted(tenant, evidence_id)
      USING (tenant, evidence_id)
""")

_RECORD = text("""
    INSERT INTO evidence (tenant, evidence_id, account_id, rule, anchor, kind, family, dimension, polarity,
                          magnitude, observed_at, recorded_at, revision, source, contact_ids, owner_id, activity_ids,
                          retracted_for)
    SELECT tenant, evidence_id, account_id, rule, anchor, kind, family, dimension, polarity, magnitude, observed_at,
           :now, revision, source, CAST(contact_ids AS uuid[]), owner_id, CAST(activity_ids AS uuid[]), retracted_for
    FROM unnest(CAST(:tenants AS text[]), CAST(:ids AS uuid[]), CAST(:accounts AS uuid[]), CAST(:rules AS text[]),
                CAST(:anchors AS text[]), CAST(:kinds AS text[]), CAST(:families AS text[]),
                CAST(:dimensions AS text[]), CAST(:polarities AS smallint[]),
                CAST(:magnitudes AS double precision[]), CAST(:observed AS timestamptz[]),
                CAST(:revisions AS integer[]), CAST(:sources AS text[]), CAST(:contacts AS text[]),
                CAST(:owners AS uuid[]), CAST(:activities AS text[]), CAST(:reasons AS text[]))
         AS new(tenant, evidence_id, account_id, rule, anchor, kind, family, dimension, polarity, magnitude,
                observed_at, revision, source, contact_ids, owner_id, activity_ids, retracted_for)
    ON CONFLICT (tenant, evidence_id) DO UPDATE
    SET kind = EXCLUDED.kind, family = EXCLUDED.family, dimension = EXCLUDED.dimension, polarity = EXCLUDED.polarity,
        magnitude = EXCLUDED.magnitude, observed_at = EXCLUDED.observed_at, recorded_at = EXCLUDED.recorded_at,
        revision = EXCLUDED.revision, source = EXCLUDED.source, contact_ids = EXCLUDED.contact_ids,
        owner_id = EXCLUDED.owner_id, activity_ids = EXCLUDED.activity_ids, retracted_for = EXCLUDED.retracted_for
""")

_WRITTEN = (
    "tenants ids accounts rules anchors kinds families dimensions polarities magnitudes observed revisions sources "
    "contacts owners activities reasons"
)

_WITHDRAW = text(f"""
    UPDATE evidence
    SET retracted_for = :reason, withdrawn_by = :author, recorded_at = :now,
        revision = revision + CASE WHEN retracted_for IS NULL THEN 1 ELSE 0 END
    WHERE tenant = :tenant AND evidence_id = :id AND withdrawn_by IS NULL
    RETURNING WITH (OLD AS before, NEW AS after)
        before.retracted_for IS NULL AS stood, {", ".join(f"after.{name.strip()}" for name in _COLUMNS.split(","))}
""")

_FILTERS = {
    "account_id": "account_id = :account_id",
    "kind": "kind = :kind",
    "family": "family = :family",
    "status": "(retracted_for IS NULL) = (:status = 'recorded')",
    "from_": "observed_at >= :from_",
    "to": "observed_at < :to",
}

_OF_ACCOUNT = text(f"SELECT {_COLUMNS} FROM evidence WHERE tenant = :tenant AND account_id = :account_id")

_ONE = text(f"SELECT {_COLUMNS} FROM evidence WHERE tenant = :tenant AND evidence_id = :id")


def evidence_id(slot: Slot) -> UUID:
    """The id of what stands in a slot: the same however often and in whatever order it is derived."""
    return opaque_id(slot.tenant, "evidence", str(slot.account_id), slot.rule, slot.anchor)


async def record(uow: UnitOfWork, findings: Findings, kind_of: KindOf) -> Sequence[Revision]:
    """Make the record say what was found, and say what changed. The accounts are locked by the caller."""
    if not findings.slots:
        return ()
    slots = {evidence_id(slot): slot for slot in findings.slots}
    keys = [(slot.tenant, id_) for id_, slot in slots.items()]
    rows = await uow.session.execute(_ON_RECORD, arrays("tenants ids", keys))
    recorded = {slots[row.evidence_id]: _recorded(row, slots[row.evidence_id]) for row in rows}
    changes = reconcile(findings, recorded)
    if changes:
        kinds = [kind_of(change.evidence.slot.tenant, change.evidence.kind) for change in changes]
        await _write(uow, changes, kinds)
        uow.emit(*(_event(uow, change, kind) for change, kind in zip(changes, kinds, strict=True)))
    return changes


def _recorded(row: Row[Any], slot: Slot) -> Recorded:
    evidence = Evidence(
        slot=slot,
        kind=row.kind,
        observed_at=row.observed_at,
        source=row.source,
        magnitude=row.magnitude,
        contact_ids=tuple(row.contact_ids),
        owner_id=row.owner_id,
        activity_ids=tuple(row.activity_ids),
    )
    return Recorded(evidence, row.revision, row.retracted_for is None, row.withdrawn_by is not None)


async def _write(uow: UnitOfWork, changes: Sequence[Revision], kinds: Sequence[Kind]) -> None:
    rows = [_row(change, kind) for change, kind in zip(changes, kinds, strict=True)]
    await uow.session.execute(_RECORD, {**arrays(_WRITTEN, rows), "now": uow.now})


def _row(change: Revision, kind: Kind) -> tuple[object, ...]:
    piece = change.evidence
    tenant, account_id, rule, anchor = piece.slot
    slot = (tenant, evidence_id(piece.slot), account_id, rule, anchor)
    what = (piece.kind, kind.family, kind.dimension, kind.polarity, piece.magnitude, piece.observed_at, change.revision)
    return (*slot, *what, piece.source, piece.contact_ids, piece.owner_id, piece.activity_ids, change.retracted)


def _event(uow: UnitOfWork, change: Revision, kind: Kind) -> Event:
    if change.retracted is not None:
        return _retracted(uow, change, change.retracted)
    piece, slot = change.evidence, change.evidence.slot
    data = EvidenceRecorded(
        evidence_id=evidence_id(slot),
        account_id=slot.account_id,
        kind=kind.code,
        family=kind.family,
        dimension=kind.dimension,
        polarity=kind.polarity,
        magnitude=piece.magnitude,
        observed_at=piece.observed_at,
        recorded_at=uow.now,
        revision=change.revision,
        source=piece.source,
        contact_ids=list(piece.contact_ids),
        owner_id=piece.owner_id,
        activity_ids=list(piece.activity_ids),
    )
    return Event.of(data, tenant=slot.tenant, subject=str(slot.account_id), time=uow.now)


def say_again(uow: UnitOfWork, rows: Sequence[Row[Any]]) -> None:
    """Publish pieces of evidence (whole rows) whose revision changed without their being derived again."""
    for row in rows:
        piece = _recorded(row, Slot(row.tenant, row.account_id, row.rule, row.anchor)).evidence
        kind = Kind(row.kind, row.family, row.dimension, row.polarity)
        uow.emit(_event(uow, Revision(piece, row.revision), kind))


def _retracted(uow: UnitOfWork, change: Revision, reason: str) -> Event:
    slot = change.evidence.slot
    data = EvidenceRetracted(
        evidence_id=evidence_id(slot), account_id=slot.account_id, revision=change.revision, reason=reason
    )
    return Event.of(data, tenant=slot.tenant, subject=str(slot.account_id), time=uow.now)


async def of_account(session: AsyncSession, tenant: str, account_id: UUID) -> dict[Slot, Recorded]:
    """All that is on record of an account."""
    rows = await session.execute(_OF_ACCOUNT, {"tenant": tenant, "account_id": account_id})
    slots = ((row, Slot(row.tenant, row.account_id, row.rule, row.anchor)) for row in rows)
    return {slot: _recorded(row, slot) for row, slot in slots}


async def one(session: AsyncSession, tenant: str, id_: UUID) -> Row[Any] | None:
    """The piece of evidence of an id, standing or not; None when there is none."""
    return (await session.execute(_ONE, {"tenant": tenant, "id": id_})).first()


async def withdraw(uow: UnitOfWork, tenant: str, id_: UUID, *, author: str, reason: str) -> Revision | None:
    """Take a piece of evidence back for good, on a person's word; gives the change, None when it was none.

    The account is locked by the caller: what is being derived would bring it back.
    """
    given = {"tenant": tenant, "id": id_, "author": author, "reason": reason, "now": uow.now}
    row = (await uow.session.execute(_WITHDRAW, given)).first()
    if row is None or not row.stood:
        return None
    slot = Slot(row.tenant, row.account_id, row.rule, row.anchor)
    piece = _recorded(row, slot).evidence
    change = Revision(piece, row.revision, reason, before=piece)
    uow.emit(_retracted(uow, change, reason))
    return change


async def listed(
    session: AsyncSession, tenant: str, filters: Mapping[str, Any], *, after: Sequence[Any] | None, limit: int
) -> Sequence[Row[Any]]:
    """Evidence that fits, the latest first, from a position (time, id) on."""
    given = {name: value for name, value in filters.items() if value is not None}
    where = ["tenant = :tenant", *(_FILTERS[name] for name in given)]
    if after is not None:
        where.append("(observed_at, evidence_id) < (CAST(:at AS timestamptz), CAST(:id AS uuid))")
        given |= {"at": after[0], "id": after[1]}
    query = (
        f"SELECT {_COLUMNS} FROM evidence WHERE {' AND '.join(where)} "
        "ORDER BY observed_at DESC, evidence_id DESC LIMIT :limit"
    )
    return (await session.execute(text(query), {"tenant": tenant, "limit": limit, **given})).all()
