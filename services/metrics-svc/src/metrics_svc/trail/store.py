"""All SQL of the trail: keeping what is replaced, in one statement a kind, and reading it."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from bellwether_kit.db import UnitOfWork
from metrics_svc.activities.rules import Change
from metrics_svc.evidence.rules import Revision
from metrics_svc.evidence.store import evidence_id
from metrics_svc.trail.rules import Cause, Why, Word, causes, replaced

LONGEST = 200
"""How many entries of a trail are shown, the latest."""

_KEEP_ACTIVITIES = text("""
    INSERT INTO activity_revision (tenant, activity_id, account_id, revision, type, direction, outcome, occurred_at,
                                   starts_at, recorded_at, contact_ids, owner_id, amount, kind, magnitude, until, why,
                                   author, reason)
    SELECT tenant, activity_id, account_id, revision, type, direction, outcome, occurred_at, starts_at, recorded_at,
           CAST(contact_ids AS uuid[]), owner_id, amount, kind, magnitude, :now, why, :author, :reason
    FROM unnest(CAST(:tenant AS text[]), CAST(:activity_id AS uuid[]), CAST(:account_id AS uuid[]),
                CAST(:revision AS bigint[]), CAST(:type AS text[]), CAST(:direction AS text[]),
                CAST(:outcome AS text[]), CAST(:occurred_at AS timestamptz[]), CAST(:starts_at AS timestamptz[]),
                CAST(:recorded_at AS timestamptz[]), CAST(:contact_ids AS text[]), CAST(:owner_id AS uuid[]),
                CAST(:amount AS numeric[]), CAST(:kind AS text[]), CAST(:magnitude AS double precision[]),
                CAST(:why AS text[]))
         AS gone(tenant, activity_id, account_id, revision, type, direction, outcome, occurred_at, starts_at,
                 recorded_at, contact_ids, owner_id, amount, kind, magnitude, why)
""")
_ACTIVITY = (
    *("tenant", "activity_id", "account_id", "revision", "type", "direction", "outcome", "occurred_at", "starts_at"),
    *("recorded_at", "owner_id", "amount", "kind", "magnitude"),
)

_KEEP_EVIDENCE = text("""
    INSERT INTO evidence_revision (tenant, evidence_id, revision, account_id, kind, magnitude, observed_at, source,
                                   contact_ids, owner_id, activity_ids, until, why, because_of, author, reason)
    SELECT tenant, evidence_id, revision, account_id, kind, magnitude, observed_at, source,
           CAST(contact_ids AS uuid[]), owner_id, CAST(activity_ids AS uuid[]), :now, why,
           CAST(because_of AS uuid[]), :author, :reason
    FROM unnest(CAST(:tenants AS text[]), CAST(:ids AS uuid[]), CAST(:revisions AS integer[]),
                CAST(:accounts AS uuid[]), CAST(:kinds AS text[]), CAST(:magnitudes AS double precision[]),
                CAST(:observed AS timestamptz[]), CAST(:sources AS text[]), CAST(:contacts AS text[]),
                CAST(:owners AS uuid[]), CAST(:activities AS text[]), CAST(:whys AS text[]), CAST(:causes AS text[]))
         AS gone(tenant, evidence_id, revision, account_id, kind, magnitude, observed_at, source, contact_ids,
                 owner_id, activity_ids, why, because_of)
    ON CONFLICT DO NOTHING
""")

_OF_ACTIVITY = text("""
    SELECT revision, account_id, type, direction, outcome, occurred_at, starts_at, recorded_at, contact_ids, owner_id,
           amount, kind, magnitude, until, why, author, reason
    FROM activity_revision WHERE tenant = :tenant AND activity_id = :id ORDER BY entry DESC LIMIT :limit
""")

_LED_TO = text("""
    SELECT evidence_id AS id, account_id, kind, revision, rule, observed_at, magnitude, retracted_for,
           CASE WHEN retracted_for IS NULL THEN 'recorded' ELSE 'retracted' END AS status
    FROM evidence
    WHERE tenant = :tenant AND account_id IN (
        SELECT account_id FROM activity WHERE tenant = :tenant AND activity_id = :id
        UNION SELECT account_id FROM activity_revision WHERE tenant = :tenant AND activity_id = :id
    ) AND (:id = ANY(activity_ids) OR EXISTS (
        SELECT FROM evidence_revision AS was
        WHERE was.tenant = evidence.tenant AND was.evidence_id = evidence.evidence_id AND :id = ANY(was.activity_ids)))
    ORDER BY observed_at DESC, evidence_id LIMIT :limit
""")

_OF_EVIDENCE = text("""
    SELECT revision, kind, magnitude, observed_at, source, contact_ids, owner_id, activity_ids, until, why,
           because_of, author, reason
    FROM evidence_revision WHERE tenant = :tenant AND evidence_id = :id ORDER BY revision DESC LIMIT :limit
""")

_CAME_FROM = text("""
    SELECT activity_id AS id, source, external_id, revision, type, direction, outcome, occurred_at, account_id
    FROM activity
    WHERE tenant = :tenant AND activity_id IN (
        SELECT unnest(activity_ids) FROM evidence WHERE tenant = :tenant AND evidence_id = :id)
    ORDER BY occurred_at, activity_id LIMIT :limit
""")


async def keep(
    uow: UnitOfWork, changes: Sequence[Change], revisions: Sequence[Revision], word: Word | None = None
) -> None:
    """Keep what changed activities and revised evidence said until now; what is said first costs nothing."""
    gone = [(change, why) for change in changes if change.before is not None and (why := replaced(change))]
    if gone:
        await _keep_activities(uow, gone, word)
    stood = [revision for revision in revisions if revision.before is not None]
    if stood:
        by_activity, by_account = _indexed(changes)
        found = [(revision, causes(revision, by_activity, by_account)) for revision in stood]
        await _keep_evidence(uow, found, word)


async def keep_withdrawn(uow: UnitOfWork, revision: Revision, word: Word) -> None:
    """Keep what a piece of evidence said before a person took it back."""
    await _keep_evidence(uow, [(revision, Cause(Why.WITHDRAWN))], word)


def _indexed(changes: Sequence[Change]) -> tuple[dict[UUID, Change], dict[UUID, list[Change]]]:
    by_activity: dict[UUID, Change] = {}
    by_account: dict[UUID, list[Change]] = defaultdict(list)
    for change in changes:
        versions = change.versions()
        by_activity |= {version.activity_id: change for version in versions}
        for account in {version.account_id for version in versions if version.account_id is not None}:
            by_account[account].append(change)
    return by_activity, by_account


async def _keep_activities(uow: UnitOfWork, gone: Sequence[tuple[Change, Why]], word: Word | None) -> None:
    was = [change.before for change, _ in gone if change.before is not None]
    arrays: dict[str, list[Any]] = {name: [getattr(activity, name) for activity in was] for name in _ACTIVITY}
    arrays["contact_ids"] = [_array(activity.contact_ids) for activity in was]
    arrays["why"] = [why for _, why in gone]
    await uow.session.execute(_KEEP_ACTIVITIES, {**arrays, **_said(word), "now": uow.now})


async def _keep_evidence(uow: UnitOfWork, stood: Sequence[tuple[Revision, Cause]], word: Word | None) -> None:
    pieces = [revision.before or revision.evidence for revision, _ in stood]
    arrays: dict[str, list[Any]] = {
        "tenants": [piece.slot.tenant for piece in pieces],
        "ids": [evidence_id(piece.slot) for piece in pieces],
        "revisions": [revision.revision - 1 for revision, _ in stood],
        "accounts": [piece.slot.account_id for piece in pieces],
        "kinds": [piece.kind for piece in pieces],
        "magnitudes": [piece.magnitude for piece in pieces],
        "observed": [piece.observed_at for piece in pieces],
        "sources": [piece.source for piece in pieces],
        "contacts": [_array(piece.contact_ids) for piece in pieces],
        "owners": [piece.owner_id for piece in pieces],
        "activities": [_array(piece.activity_ids) for piece in pieces],
        "whys": [cause.why for _, cause in stood],
        "causes": [_array(cause.activity_ids) for _, cause in stood],
    }
    await uow.session.execute(_KEEP_EVIDENCE, {**arrays, **_said(word), "now": uow.now})


def _said(word: Word | None) -> dict[str, str | None]:
    return {"author": word.author if word else None, "reason": word.reason if word else None}


def _array(ids: Sequence[UUID]) -> str:
    return "{" + ",".join(map(str, ids)) + "}"


async def of_activity(session: AsyncSession, tenant: str, id_: UUID) -> tuple[Sequence[Row[Any]], Sequence[Row[Any]]]:
    """What an activity led to, and its earlier forms, the latest first; at most :data:`LONGEST` of each."""
    given = {"tenant": tenant, "id": id_, "limit": LONGEST}
    led_to = (await session.execute(_LED_TO, given)).all()
    return led_to, (await session.execute(_OF_ACTIVITY, given)).all()


async def of_evidence(session: AsyncSession, tenant: str, id_: UUID) -> tuple[Sequence[Row[Any]], Sequence[Row[Any]]]:
    """The activities a piece of evidence came from, and its earlier revisions; at most :data:`LONGEST` of each."""
    given = {"tenant": tenant, "id": id_, "limit": LONGEST}
    came_from = (await session.execute(_CAME_FROM, given)).all()
    return came_from, (await session.execute(_OF_EVIDENCE, given)).all()
