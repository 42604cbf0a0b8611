"""All SQL that takes people, names and texts out of activities, evidence and what is kept beside them.

What derivation reads stays: types, times, amounts, accounts, and ids that tell one person from another.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from bellwether_kit.db import UnitOfWork
from metrics_svc.evidence.store import say_again
from metrics_svc.terms.store import attributes_read
from metrics_svc.trail.rules import Why, Word

NAMING = {
    "activity": "contact_ids",
    "activity_revision": "contact_ids",
    "evidence": "contact_ids",
    "evidence_revision": "contact_ids",
    "expectation": "contact_id",
    "kpi": "agreed_by",
    "reply": "contact_id",
    "survey_response": "respondent_id",
    "touch": "contact_id",
}
"""Every table that names people of an account, and by which column. A test finds those that are missing.

The terms that a KPI had name them as well.
"""

_READ_STAYS = """coalesce((
            SELECT jsonb_object_agg(key, value) FROM jsonb_each(kept.attributes) WHERE key = ANY(CAST(:read AS text[]))
        ), '{}')"""

_TEXTS = f"subject = NULL, note = NULL, attributes = {_READ_STAYS}"
_NAMES = """thread = NULL, in_reply_to = NULL,
        external_id = CASE WHEN position('@' IN external_id) > 0 THEN CAST(activity_id AS text) ELSE external_id END"""

_STAND_INS = """ARRAY(
            SELECT coalesce(stand_in, who.id)
            FROM unnest(kept.contact_ids) WITH ORDINALITY AS who(id, n)
            LEFT JOIN erasure_person AS gone
              ON gone.tenant = kept.tenant AND gone.erasure_id = :erasure AND gone.contact_id = who.id
             AND gone.contact_id = ANY(CAST(:people AS uuid[]))
            ORDER BY who.n)"""

_ANY_OF = "kept.contact_ids && CAST(:people AS uuid[])"
_OF = "kept.tenant = :tenant AND kept.account_id = ANY(CAST(:accounts AS uuid[]))"

_ACTIVITIES = f"""
    UPDATE activity AS kept
    SET contact_ids = {_STAND_INS}, {_TEXTS}, {_NAMES},
        asked_contact = coalesce((
            SELECT stand_in FROM erasure_person AS gone
            WHERE gone.tenant = kept.tenant AND gone.erasure_id = :erasure AND gone.contact_id = kept.asked_contact
              AND gone.contact_id = ANY(CAST(:people AS uuid[]))
        ), asked_contact)
    WHERE kept.tenant = :tenant AND {_ANY_OF} AND kept.account_id"""
_IN_ACCOUNTS = text(f"{_ACTIVITIES} = ANY(CAST(:accounts AS uuid[]))")
_IN_HELD = text(f"{_ACTIVITIES} IS NULL")

# Retracted evidence says nothing any more: nobody has to hear of it.
_EVIDENCE = text(f"""
    UPDATE evidence AS kept
    SET contact_ids = {_STAND_INS}, revision = revision + CASE WHEN retracted_for IS NULL THEN 1 ELSE 0 END
    WHERE {_OF} AND {_ANY_OF}
    RETURNING kept.*
""")

_KEPT = text("""
    INSERT INTO evidence_revision (tenant, evidence_id, revision, account_id, kind, magnitude, observed_at, source,
                                   contact_ids, owner_id, activity_ids, until, why, because_of, author, reason)
    SELECT tenant, evidence_id, revision - 1, account_id, kind, magnitude, observed_at, source, contact_ids, owner_id,
           activity_ids, :now, :why, '{}', :author, :reason
    FROM evidence WHERE tenant = :tenant AND evidence_id = ANY(CAST(:ids AS uuid[]))
""")


def _renaming(table: str, column: str, of: str = _OF) -> TextClause:
    if column == "contact_ids":
        return text(f"UPDATE {table} AS kept SET contact_ids = {_STAND_INS} WHERE {of} AND {_ANY_OF}")
    return text(f"""
        UPDATE {table} AS kept SET {column} = gone.stand_in FROM erasure_person AS gone
        WHERE {of} AND gone.tenant = :tenant AND gone.erasure_id = :erasure AND gone.contact_id = kept.{column}
          AND gone.contact_id = ANY(CAST(:people AS uuid[]))
    """)


_BESIDE = {table: _renaming(table, column) for table, column in NAMING.items() if table not in {"activity", "evidence"}}
_ANSWERS_HELD = _renaming("survey_response", "respondent_id", "kept.tenant = :tenant AND kept.account_id IS NULL")

_KPI_VERSIONS = text("""
    UPDATE kpi_version AS kept SET terms = jsonb_set(terms, '{agreed_by}', to_jsonb(gone.stand_in))
    FROM kpi JOIN erasure_person AS gone USING (tenant)
    WHERE kept.tenant = :tenant AND kpi.tenant = :tenant AND kpi.kpi_id = kept.kpi_id
      AND kpi.account_id = ANY(CAST(:accounts AS uuid[])) AND gone.erasure_id = :erasure
      AND gone.contact_id = ANY(CAST(:people AS uuid[])) AND CAST(kept.terms ->> 'agreed_by' AS uuid) = gone.contact_id
    RETURNING kept.kpi_id
""")

_OLD = """kept.tenant = :tenant AND occurred_at < :before
      AND (occurred_at, activity_id) > (:from_at, CAST(:from_id AS uuid))
      AND (occurred_at, activity_id) <= (:to_at, CAST(:to_id AS uuid))"""

_OLD_TEXTS = text(f"""
    UPDATE activity AS kept SET {_TEXTS}
    WHERE {_OLD} AND (subject IS NOT NULL OR note IS NOT NULL OR attributes <> {_READ_STAYS})
""")

_OLD_NAMES = text(f"""
    UPDATE activity AS kept SET {_NAMES}
    WHERE {_OLD} AND (thread IS NOT NULL OR in_reply_to IS NOT NULL OR position('@' IN external_id) > 0)
""")

_ACCOUNT = text(f"""
    UPDATE activity AS kept
    SET {_TEXTS}, thread = NULL, in_reply_to = NULL, external_id = CAST(activity_id AS text),
        reference_value = CASE reference_kind WHEN 'id' THEN reference_value ELSE encode(sha256(convert_to(
            concat_ws('/', tenant, reference_kind, reference_source, reference_value), 'UTF8')), 'hex') END
    WHERE kept.tenant = :tenant AND kept.account_id = :account_id AND external_id <> CAST(activity_id AS text)
      AND activity_id > :after AND activity_id <= :until
""")

_RECORDS = [
    text(f"""
        UPDATE {table}
        SET reference_kind = 'id', reference_source = '', reference_value = CAST(account_id AS text){more}
        WHERE tenant = :tenant AND account_id = :account_id AND {left}
    """)
    for table, more, left in (
        ("survey_response", ", external_id = CAST(id AS text)", "external_id <> CAST(id AS text)"),
        ("reported_figure", "", "reference_kind <> 'id'"),
    )
]

_ACCOUNT_NAMES = (
    text("""
        UPDATE account SET name = NULL, name_key = NULL
        WHERE tenant = :tenant AND account_id = :account_id AND removed
    """),
    text("""
        DELETE FROM account_reference USING account
        WHERE account.tenant = :tenant AND account.account_id = :account_id AND account.removed
          AND account_reference.tenant = account.tenant AND account_reference.account_id = account.account_id
          AND kind <> 'id'
    """),
    text("DELETE FROM reference_word WHERE tenant = :tenant AND account_id = :account_id"),
)


@dataclass(frozen=True, slots=True)
class Taken:
    """How many activities, standing pieces of evidence, records and KPIs something was taken out of."""

    activities: int = 0
    evidence: int = 0
    records: int = 0
    kpis: int = 0


async def replace_people(
    uow: UnitOfWork, tenant: str, erasure_id: UUID, accounts: Iterable[UUID], people: Sequence[UUID], word: Word
) -> Taken:
    """Replace people by their stand-ins of an erasure wherever these accounts, locked by the caller, know them.

    All at once for an account: a conversation that is half of somebody and half of a stand-in would be another.
    Evidence in which they were is published again with the stand-ins.
    """
    session = uow.session
    given = {"tenant": tenant, "erasure": erasure_id, "accounts": sorted(accounts), "people": list(people)}
    read = await attributes_read(session, tenant)
    activities = _count(await session.execute(_IN_ACCOUNTS, {**given, "read": read}))
    beside = {table: _count(await session.execute(statement, given)) for table, statement in _BESIDE.items()}
    kpis = {row.kpi_id for row in await session.execute(_KPI_VERSIONS, given)}
    rows = (await session.execute(_EVIDENCE, given)).all()
    standing = [row for row in rows if row.retracted_for is None]
    ids = [row.evidence_id for row in standing]
    said = {"now": uow.now, "why": Why.ERASED, "author": word.author, "reason": word.reason}
    await session.execute(_KEPT, {"tenant": tenant, "ids": ids, **said})
    say_again(uow, standing)
    return Taken(activities, len(standing), beside["survey_response"], len(kpis))


async def replace_held(session: AsyncSession, tenant: str, erasure_id: UUID, people: Sequence[UUID]) -> Taken:
    """Replace people by their stand-ins in activities and survey answers that are held for no account."""
    read = await attributes_read(session, tenant)
    given = {"tenant": tenant, "erasure": erasure_id, "people": list(people), "read": read}
    activities = _count(await session.execute(_IN_HELD, given))
    return Taken(activities, records=_count(await session.execute(_ANSWERS_HELD, given)))


async def blank_account(session: AsyncSession, tenant: str, account_id: UUID, after: UUID, until: UUID) -> Taken:
    """Blank texts, references and external ids in the activities of an account within a range of ids."""
    given = {"tenant": tenant, "account_id": account_id, "after": after, "until": until}
    read = await attributes_read(session, tenant)
    return Taken(_count(await session.execute(_ACCOUNT, {**given, "read": read})))


async def blank_records(session: AsyncSession, tenant: str, account_id: UUID) -> Taken:
    """Name an account, locked by the caller, by our own id in its survey answers and reported figures.

    The answers' ids at their source go too; scores, values, questions and periods stay.
    """
    given = {"tenant": tenant, "account_id": account_id}
    return Taken(records=sum([_count(await session.execute(statement, given)) for statement in _RECORDS]))


async def forget_names(session: AsyncSession, tenant: str, account_id: UUID) -> None:
    """Forget what an account is called, once it is gone from where accounts are kept, and who said so by hand."""
    for statement in _ACCOUNT_NAMES:
        await session.execute(statement, {"tenant": tenant, "account_id": account_id})


@dataclass(frozen=True, slots=True)
class Span:
    """Activities of a tenant by time and id: after ``start``, up to and with ``end``, and before a moment."""

    tenant: str
    start: tuple[datetime, UUID]
    end: tuple[datetime, UUID]
    before: datetime

    def given(self) -> dict[str, Any]:
        """The parameters that name it."""
        (from_at, from_id), (to_at, to_id) = self.start, self.end
        span = {"from_at": from_at, "from_id": from_id, "to_at": to_at, "to_id": to_id}
        return {"tenant": self.tenant, "before": self.before, **span}


async def blank_texts(session: AsyncSession, span: Span) -> int:
    """Blank subjects, notes and the attributes no rule looks at; gives in how many activities there were any."""
    read = await attributes_read(session, span.tenant)
    return _count(await session.execute(_OLD_TEXTS, {**span.given(), "read": read}))


async def blank_names(session: AsyncSession, span: Span) -> int:
    """Blank threads and external ids with addresses in them; gives in how many activities there were any."""
    return _count(await session.execute(_OLD_NAMES, span.given()))


def _count(result: Any) -> int:
    return int(result.rowcount)
