"""All SQL of erasures: asking for one, and replacing and blanking what is somebody's. The steps are `handlers`'."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from bellwether_kit.db import UnitOfWork
from bellwether_kit.ids import opaque_id
from metrics_svc.accounts.store import lock
from metrics_svc.activities.rules import NOBODY
from metrics_svc.anonymity import store as anonymity
from metrics_svc.anonymity.store import Taken
from metrics_svc.contacts import store as contacts
from metrics_svc.contacts.store import FOR_EVER, Erased
from metrics_svc.trail.rules import Word

CHUNK = 5_000
"""How many activities one step looks through."""
_ACCOUNTS_AT_ONCE = 20
_PEOPLE_AT_ONCE = 50

_COLUMNS = (
    "tenant, erasure_id AS id, subject, account_id, state, author, reason, requested_at, finished_at, activities, "
    "evidence, records"
)
_ONE = text(f"SELECT {_COLUMNS} FROM erasure WHERE tenant = :tenant AND erasure_id = :id")

_LISTED = text(f"""
    SELECT {_COLUMNS} FROM erasure
    WHERE tenant = :tenant
      AND (CAST(:at AS timestamptz) IS NULL OR (requested_at, erasure_id) < (:at, CAST(:id AS uuid)))
    ORDER BY requested_at DESC, erasure_id DESC LIMIT :limit
""")

_REQUEST = text("""
    INSERT INTO erasure (tenant, erasure_id, subject, account_id, state, author, reason, requested_at, activities,
                         evidence, records, walked_to, due_at)
    VALUES (:tenant, :id, :subject, :account_id, 'requested', :author, :reason, :now, 0, 0, 0, :nobody, :now)
    ON CONFLICT (tenant, erasure_id) DO UPDATE
    SET state = 'requested', finished_at = NULL, walked_to = EXCLUDED.walked_to, due_at = EXCLUDED.due_at
    WHERE :again
""")

_REPLACE = text("""
    INSERT INTO erasure_person (tenant, erasure_id, contact_id, stand_in)
    SELECT :tenant, :id, contact_id, gen_random_uuid() FROM unnest(CAST(:contacts AS uuid[])) AS named(contact_id)
    ON CONFLICT DO NOTHING
""")

# What an account's erasure has blanked goes by its own id instead of the source's; a figure has only its account's.
_IS_LEFT = "activity.account_id = :account_id AND activity.external_id <> CAST(activity.activity_id AS text)"
_ANSWER_IS_LEFT = "answer.account_id = :account_id AND answer.external_id <> CAST(answer.id AS text)"
_FIGURE_IS_LEFT = "figure.account_id = :account_id AND figure.reference_kind <> 'id'"

_REPLACE_ALL = text(f"""
    INSERT INTO erasure_person (tenant, erasure_id, contact_id, stand_in)
    SELECT :tenant, :id, contact_id, gen_random_uuid() FROM (
        SELECT unnest(contact_ids) AS contact_id FROM activity WHERE tenant = :tenant AND {_IS_LEFT}
        UNION SELECT respondent_id FROM survey_response AS answer WHERE tenant = :tenant AND {_ANSWER_IS_LEFT}
        UNION SELECT CAST(terms ->> 'agreed_by' AS uuid) FROM kpi_version JOIN kpi USING (tenant, kpi_id)
        WHERE tenant = :tenant AND account_id = :account_id
    ) AS everybody WHERE contact_id IS NOT NULL
    ON CONFLICT DO NOTHING
""")

_PEOPLE = text("""
    SELECT contact_id FROM erasure_person WHERE tenant = :tenant AND erasure_id = :id ORDER BY contact_id LIMIT :limit
""")

_END = text("""
    SELECT activity_id FROM (
        SELECT activity_id FROM activity WHERE tenant = :tenant AND activity_id > :after
        ORDER BY activity_id LIMIT :limit
    ) AS chunk ORDER BY activity_id DESC LIMIT 1
""")

_NAMED_IN = text("""
    SELECT DISTINCT account_id FROM activity
    WHERE tenant = :tenant AND activity_id > :after AND activity_id <= :until
      AND contact_ids && CAST(:people AS uuid[])
""")

# Who answered or agreed to something need not be in any activity.
_NAMED_BESIDE = text("""
    SELECT account_id FROM survey_response WHERE tenant = :tenant AND respondent_id = ANY(CAST(:people AS uuid[]))
    UNION
    SELECT account_id FROM kpi_version JOIN kpi USING (tenant, kpi_id)
    WHERE tenant = :tenant AND CAST(terms ->> 'agreed_by' AS uuid) = ANY(CAST(:people AS uuid[]))
""")

_REPLACED = text("""
    DELETE FROM erasure_person
    WHERE tenant = :tenant AND erasure_id = :id AND (CAST(:people AS uuid[]) IS NULL OR contact_id = ANY(:people))
""")

_GO_ON = text("""
    UPDATE erasure
    SET state = :state, walked_to = :walked_to, activities = activities + :activities, evidence = evidence + :evidence,
        records = records + :records,
        due_at = CASE WHEN :state = 'done' THEN NULL ELSE due_at END,
        finished_at = CASE WHEN :state = 'done' THEN CAST(:now AS timestamptz) END
    WHERE tenant = :tenant AND erasure_id = :id
""")

_ANYTHING = text(f"""
    SELECT WHERE EXISTS (SELECT FROM activity WHERE tenant = :tenant AND {_IS_LEFT})
        OR EXISTS (SELECT FROM survey_response AS answer WHERE tenant = :tenant AND {_ANSWER_IS_LEFT})
        OR EXISTS (SELECT FROM reported_figure AS figure WHERE tenant = :tenant AND {_FIGURE_IS_LEFT})
        OR EXISTS (SELECT FROM kpi WHERE tenant = :tenant AND account_id = :account_id AND agreed_by IS NOT NULL
                   AND changed_at > (SELECT finished_at FROM erasure WHERE tenant = :tenant AND erasure_id = :id))
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """An erasure on its way; ``people`` are the ids that are asked to be erased."""

    tenant: str
    id: UUID
    account_id: UUID | None
    people: tuple[UUID, ...] = ()
    walked_to: UUID = NOBODY
    word: Word

    def key(self) -> dict[str, Any]:
        """The parameters that name it."""
        return {"tenant": self.tenant, "id": self.id, "account_id": self.account_id}


async def erase_person(uow: UnitOfWork, tenant: str, named: UUID, word: Word) -> UUID:
    """Have a person erased who goes by an id, for ever; gives the erasure's id. Asking again asks for nothing new."""
    await contacts.alone(uow.session, {tenant})
    known = await contacts.canonical(uow.session, tenant, {named})
    person = known.get(named) or named
    ids = await contacts.erase(uow.session, [(tenant, who, FOR_EVER) for who in {person, named}])
    id_ = opaque_id(tenant, "erasure", "person", str(named))
    await _request(uow, Erasure(tenant=tenant, id=id_, account_id=None, people=tuple(one[1] for one in ids), word=word))
    return id_


async def erase_persons(uow: UnitOfWork, erased: Sequence[Erased], word: Word) -> None:
    """Have persons erased whom nothing names any more."""
    people: dict[tuple[str, UUID], list[UUID]] = defaultdict(list)
    for tenant, alias, person in erased:
        people[tenant, person].append(alias)
    for (tenant, person), ids in sorted(people.items()):
        id_ = opaque_id(tenant, "erasure", "person", str(person))
        await _request(uow, Erasure(tenant=tenant, id=id_, account_id=None, people=tuple(ids), word=word))


async def erase_account(uow: UnitOfWork, tenant: str, account_id: UUID, word: Word) -> UUID:
    """Have all that is held about an account until now erased; gives the erasure's id. What comes later is kept."""
    id_ = opaque_id(tenant, "erasure", "account", str(account_id))
    await _request(uow, Erasure(tenant=tenant, id=id_, account_id=account_id, word=word))
    return id_


async def _request(uow: UnitOfWork, erasure: Erasure) -> None:
    given, again = erasure.key(), bool(erasure.people)
    if erasure.account_id is not None:
        again = (await uow.session.execute(_ANYTHING, given)).first() is not None
    said = {"author": erasure.word.author, "reason": erasure.word.reason, "now": uow.now}
    subject = "person" if erasure.account_id is None else "account"
    await uow.session.execute(_REQUEST, {**given, **said, "subject": subject, "nobody": NOBODY, "again": again})
    if erasure.people:
        await uow.session.execute(_REPLACE, {**given, "contacts": list(erasure.people)})


async def begin(uow: UnitOfWork, erasure: Erasure) -> None:
    """Wait for posts that still know the person; from then on only what is stored has to be looked through."""
    await contacts.await_posts(uow.session, {erasure.tenant})
    if erasure.account_id is not None:
        await lock(uow.session, {(erasure.tenant, erasure.account_id)})
        await uow.session.execute(_REPLACE_ALL, erasure.key())
    await _go_on(uow, erasure, NOBODY, Taken())


async def step(uow: UnitOfWork, erasure: Erasure) -> None:
    """Erase the next bit: people of an account first, then what a chunk of the tenant's activities leads to.

    Whom surveys and KPIs alone name is looked for after the last activity.
    """
    session, account = uow.session, erasure.account_id
    limit = _PEOPLE_AT_ONCE if account is not None else None
    rows = await session.execute(_PEOPLE, {**erasure.key(), "limit": limit})
    people = [row.contact_id for row in rows]
    if account is not None and people:
        taken = await _replace(uow, erasure, {account}, people)
        counted = Taken(evidence=taken.evidence, kpis=taken.kpis)  # what is blanked later is counted then
        await _go_on(uow, erasure, NOBODY, counted)
        await session.execute(_REPLACED, {**erasure.key(), "people": people})
        return
    end = (await session.execute(_END, {**erasure.key(), "after": erasure.walked_to, "limit": CHUNK})).scalar()
    if account is None:
        await _walk(uow, erasure, end, people)
    elif end is None:
        await _finish(uow, erasure)
    else:
        taken = await anonymity.blank_account(session, erasure.tenant, account, erasure.walked_to, end)
        await _go_on(uow, erasure, end, taken)


async def _walk(uow: UnitOfWork, erasure: Erasure, end: UUID | None, people: Sequence[UUID]) -> None:
    given = {**erasure.key(), "after": erasure.walked_to, "until": end, "people": people}
    query = _NAMED_BESIDE if end is None else _NAMED_IN
    found = {row.account_id for row in await uow.session.execute(query, given)}
    if end is None and not found:
        await _finish(uow, erasure)
        return
    if None in found:
        taken = await anonymity.replace_held(uow.session, erasure.tenant, erasure.id, people)
        await _go_on(uow, erasure, erasure.walked_to, taken)
    some = sorted(account for account in found if account is not None)[:_ACCOUNTS_AT_ONCE]
    taken = await _replace(uow, erasure, set(some), people) if some else Taken()
    more = len(found - {None}) > len(some)
    await _go_on(uow, erasure, erasure.walked_to if end is None or more else end, taken)


async def _replace(uow: UnitOfWork, erasure: Erasure, accounts: set[UUID], people: Sequence[UUID]) -> Taken:
    await lock(uow.session, {(erasure.tenant, account) for account in accounts})
    return await anonymity.replace_people(uow, erasure.tenant, erasure.id, accounts, people, erasure.word)


async def _finish(uow: UnitOfWork, erasure: Erasure) -> None:
    await uow.session.execute(_REPLACED, {**erasure.key(), "people": None})
    taken = Taken()
    if erasure.account_id is not None:
        await lock(uow.session, {(erasure.tenant, erasure.account_id)})
        taken = await anonymity.blank_records(uow.session, erasure.tenant, erasure.account_id)
        await anonymity.forget_names(uow.session, erasure.tenant, erasure.account_id)
    await _go_on(uow, erasure, erasure.walked_to, taken, state="done")


async def _go_on(uow: UnitOfWork, erasure: Erasure, walked_to: UUID, taken: Taken, state: str = "running") -> None:
    counts = {"activities": taken.activities, "evidence": taken.evidence, "records": taken.records + taken.kpis}
    given = {**erasure.key(), **counts, "walked_to": walked_to, "state": state, "now": uow.now}
    await uow.session.execute(_GO_ON, given)


async def one(session: AsyncSession, tenant: str, id_: UUID) -> Row[Any] | None:
    """An erasure, or None."""
    return (await session.execute(_ONE, {"tenant": tenant, "id": id_})).first()


async def listed(session: AsyncSession, tenant: str, *, after: Sequence[Any] | None, limit: int) -> Sequence[Row[Any]]:
    """Erasures, the latest asked for first, from a position (time, id) on."""
    at, id_ = after or (None, None)
    return (await session.execute(_LISTED, {"tenant": tenant, "at": at, "id": id_, "limit": limit})).all()
