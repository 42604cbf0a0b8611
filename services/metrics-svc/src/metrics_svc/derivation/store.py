"""All SQL of rules and deadlines, and the one place where changed activities become changed evidence."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from functools import cache, lru_cache
from typing import Any
from uuid import UUID

import holidays
import msgspec
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from bellwether_kit.db import UnitOfWork
from metrics_svc.accounts.store import Key
from metrics_svc.activities.rules import Change
from metrics_svc.buying import rules as buying_rules
from metrics_svc.buying import store as buying
from metrics_svc.derivation.rules import Deadline, Deadlines, Policy, RuleBook, Terms, Window, weekdays
from metrics_svc.evidence import rules as evidence_rules
from metrics_svc.evidence import store as evidence
from metrics_svc.evidence.rules import Revision
from metrics_svc.expectations import rules as expectation_rules
from metrics_svc.expectations import store as expectations
from metrics_svc.meetings import rules as meeting_rules
from metrics_svc.meetings import store as meetings
from metrics_svc.touch import store as touch

_BOOKS = text("""
    SELECT tenant, applies_from, policy FROM derivation_rules
    WHERE tenant = ANY(CAST(:tenants AS text[])) ORDER BY tenant, version
""")

_LATEST = text("""
    SELECT version, applies_from, policy, author, reason, changed_at FROM derivation_rules
    WHERE tenant = :tenant AND version < :before ORDER BY version DESC LIMIT :limit
""")

_ADD = text("""
    INSERT INTO derivation_rules (tenant, version, applies_from, policy, author, reason, changed_at)
    VALUES (:tenant, :version, :applies_from, CAST(:policy AS jsonb), :author, :reason, :now)
""")

_LOCK_RULES = text("SELECT pg_advisory_xact_lock(hashtextextended('derivation-rules/' || :tenant, 0))")

_LIFT = text("""
    DELETE FROM deadline USING unnest(CAST(:tenants AS text[]), CAST(:accounts AS uuid[]), CAST(:subjects AS uuid[]))
                               AS gone(tenant, account_id, subject_id)
    WHERE deadline.tenant = gone.tenant AND deadline.account_id = gone.account_id
      AND deadline.subject_id = gone.subject_id
""")

_SET = text("""
    INSERT INTO deadline AS kept (tenant, account_id, subject_id, kind, due_at)
    SELECT * FROM unnest(CAST(:tenants AS text[]), CAST(:accounts AS uuid[]), CAST(:subjects AS uuid[]),
                         CAST(:kinds AS text[]), CAST(:times AS timestamptz[]))
    ON CONFLICT (tenant, account_id, subject_id) DO UPDATE SET due_at = EXCLUDED.due_at
    WHERE kept.due_at <> EXCLUDED.due_at
""")

_SET_ACCOUNTS = text("""
    UPDATE account AS kept SET due_at = next.due_at
    FROM (
        SELECT wanted.tenant, wanted.account_id, (
            SELECT min(due_at) FROM deadline AS d
            WHERE d.tenant = wanted.tenant AND d.account_id = wanted.account_id
        ) AS due_at
        FROM unnest(CAST(:tenants AS text[]), CAST(:accounts AS uuid[])) AS wanted(tenant, account_id)
    ) AS next
    WHERE kept.tenant = next.tenant AND kept.account_id = next.account_id
      AND kept.due_at IS DISTINCT FROM next.due_at
""")

_DUE = text("""
    SELECT d.tenant, d.account_id, d.subject_id, d.kind, d.due_at
    FROM deadline AS d JOIN unnest(CAST(:tenants AS text[]), CAST(:accounts AS uuid[])) AS wanted(tenant, account_id)
      USING (tenant, account_id)
    WHERE d.due_at <= :now
""")

_FORGET_DEADLINES = text("""
    DELETE FROM deadline USING unnest(CAST(:tenants AS text[]), CAST(:accounts AS uuid[])) AS gone(tenant, account_id)
    WHERE deadline.tenant = gone.tenant AND deadline.account_id = gone.account_id
""")

_SETTLED = text("""
    UPDATE account AS kept SET anew_at = NULL, anew_from = NULL
    FROM unnest(CAST(:tenants AS text[]), CAST(:accounts AS uuid[])) AS done(tenant, account_id)
    WHERE kept.tenant = done.tenant AND kept.account_id = done.account_id
""")


@cache
def _calendar(country: str) -> holidays.HolidayBase | None:
    try:
        return holidays.country_holidays(country)
    except NotImplementedError:  # a country the library does not know has Monday to Friday
        return None


@lru_cache(maxsize=100_000)
def working_day(country: str | None, day: date) -> bool:
    """Whether a date is a business day in a country: neither its weekend nor a public holiday."""
    calendar = _calendar(country) if country else None
    return bool(calendar.is_working_day(day)) if calendar is not None else weekdays(country, day)


async def terms(session: AsyncSession, now: datetime, countries: Mapping[Key, str | None]) -> Terms:
    """What derivation for these accounts goes by."""
    return Terms(
        as_of=now,
        books=await _books(session, {tenant for tenant, _ in countries}),
        countries=countries,
        working_day=working_day,
    )


async def _books(session: AsyncSession, tenants: Iterable[str]) -> dict[str, RuleBook]:
    entries: dict[str, list[tuple[datetime, Policy]]] = defaultdict(list)
    for row in await session.execute(_BOOKS, {"tenants": sorted(tenants)}):
        earlier = [entry for entry in entries[row.tenant] if entry[0] < row.applies_from]
        entries[row.tenant] = [*earlier, (row.applies_from, policy_of(row.policy))]
    return {tenant: RuleBook(tuple(policies)) for tenant, policies in entries.items()}


def policy_of(stored: Mapping[str, Any]) -> Policy:
    """The policy a stored document stands for; what it does not name has its default."""
    windows = {channel: Window(**window) for channel, window in stored["windows"].items()}
    return Policy(**{**stored, "windows": windows})


async def derive(
    uow: UnitOfWork, changes: Sequence[Change], agreed: Terms, due: Sequence[Deadline] = ()
) -> Sequence[Revision]:
    """Derive what changed activities and passed deadlines can matter to, and record it; gives what became of it.

    The result is that of deriving everything from scratch; the cost is that of the neighbourhood of the changes.
    The accounts are locked by the caller.
    """
    session, deadlines = uow.session, Deadlines()
    for passed in due:
        deadlines.set(passed.tenant, passed.account_id, passed.subject_id, passed.kind, None)
    findings = evidence_rules.observed(changes)

    await expectations.remember_replies(session, changes)
    conversations = expectation_rules.touched(changes)
    conversations.merge(await expectations.due(session, _subjects(due, "expectation")))
    await expectations.derive(session, conversations, agreed, findings, deadlines)

    came_due = {(d.tenant, d.account_id, d.subject_id) for d in due if d.kind == "meeting"}
    await meetings.derive(session, meeting_rules.touched(changes) | came_due, agreed, findings, deadlines)

    purchases, days = buying_rules.placed(changes)
    findings.merge(purchases)
    await buying.count(session, days)
    days |= await buying.last_days(session, {(d.tenant, d.account_id) for d in due if d.kind == "buying"})
    await buying.derive(session, days, agreed, findings, deadlines)

    revisions = await evidence.record(uow, findings)
    await _keep(session, deadlines)
    return revisions


async def follow(uow: UnitOfWork, changes: Sequence[Change], countries: Mapping[Key, str | None]) -> None:
    """All that follows from changed activities: evidence, deadlines and last contacts."""
    if changes:
        await derive(uow, changes, await terms(uow.session, uow.now, countries))
        await touch.record(uow, changes)


def _subjects(due: Iterable[Deadline], kind: str) -> list[tuple[str, UUID]]:
    return [(deadline.tenant, deadline.subject_id) for deadline in due if deadline.kind == kind]


async def _keep(session: AsyncSession, deadlines: Deadlines) -> None:
    every = sorted(deadlines.by_subject)
    lifted = [key for key in every if deadlines.by_subject[key].due_at is None]
    kept = [deadlines.by_subject[key] for key in every if deadlines.by_subject[key].due_at is not None]
    if lifted:
        await session.execute(_LIFT, {**_keys(lifted), "subjects": [subject for _, _, subject in lifted]})
    if kept:
        arrays = {
            "tenants": [deadline.tenant for deadline in kept],
            "accounts": [deadline.account_id for deadline in kept],
            "subjects": [deadline.subject_id for deadline in kept],
            "kinds": [deadline.kind for deadline in kept],
            "times": [deadline.due_at for deadline in kept],
        }
        await session.execute(_SET, arrays)
    await set_accounts(session, {(tenant, account) for tenant, account, _ in every})


async def set_accounts(session: AsyncSession, keys: Iterable[Key]) -> None:
    """Make accounts due when the earliest of their deadlines is."""
    wanted = sorted(keys)
    if wanted:
        await session.execute(_SET_ACCOUNTS, _keys(wanted))


async def due(session: AsyncSession, keys: Sequence[Key], now: datetime) -> list[Deadline]:
    """The deadlines of accounts that have passed."""
    rows = await session.execute(_DUE, {**_keys(keys), "now": now})
    return [Deadline(row.tenant, row.account_id, row.subject_id, row.kind, row.due_at) for row in rows]


async def forget_deadlines(session: AsyncSession, keys: Sequence[Key]) -> None:
    """Wait for nothing any more from accounts that are gone."""
    if keys:
        await session.execute(_FORGET_DEADLINES, _keys(keys))


async def settled(session: AsyncSession, keys: Sequence[Key]) -> None:
    """Say that accounts were derived anew."""
    if keys:
        await session.execute(_SETTLED, _keys(keys))


def _keys(keys: Sequence[tuple[Any, ...]]) -> dict[str, list[Any]]:
    return {"tenants": [key[0] for key in keys], "accounts": [key[1] for key in keys]}


async def versions(
    session: AsyncSession, tenant: str, *, before: int = 2**31 - 1, limit: int = 1
) -> Sequence[Row[Any]]:
    """Versions of a tenant's rules, the newest first."""
    rows = await session.execute(_LATEST, {"tenant": tenant, "before": before, "limit": limit})
    return rows.all()


async def lock_rules(session: AsyncSession, tenant: str) -> None:
    """Let one change of a tenant's rules at a time look at the last version."""
    await session.execute(_LOCK_RULES, {"tenant": tenant})


async def add(
    uow: UnitOfWork, tenant: str, version: int, applies_from: datetime, policy: Policy, *, author: str, reason: str
) -> None:
    """Add a version of a tenant's rules."""
    given = {
        "tenant": tenant,
        "version": version,
        "applies_from": applies_from,
        "policy": msgspec.json.encode(asdict(policy)).decode(),
        "author": author,
        "reason": reason,
        "now": uow.now,
    }
    await uow.session.execute(_ADD, given)
