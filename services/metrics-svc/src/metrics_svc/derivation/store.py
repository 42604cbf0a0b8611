"""All SQL of deadlines, and the one place where changed activities become changed evidence."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from bellwether_kit.db import UnitOfWork, arrays
from metrics_svc.accounts.store import Key
from metrics_svc.activities.rules import Change
from metrics_svc.buying import rules as buying_rules
from metrics_svc.buying import store as buying
from metrics_svc.derivation.rules import Deadline, Deadlines, Terms
from metrics_svc.evidence import rules as evidence_rules
from metrics_svc.evidence import store as evidence
from metrics_svc.evidence.rules import Revision
from metrics_svc.expectations import rules as expectation_rules
from metrics_svc.expectations import store as expectations
from metrics_svc.figures import store as figures
from metrics_svc.meetings import rules as meeting_rules
from metrics_svc.meetings import store as meetings
from metrics_svc.scope import rules as scope_rules
from metrics_svc.scope import store as scope
from metrics_svc.signals import store as signals
from metrics_svc.terms.store import terms
from metrics_svc.touch import store as touch
from metrics_svc.trail import store as trail
from metrics_svc.trail.rules import Word

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


async def derive(
    uow: UnitOfWork,
    changes: Sequence[Change],
    agreed: Terms,
    due: Sequence[Deadline] = (),
    word: Word | None = None,
    anew: Mapping[Key, datetime] | None = None,
) -> Sequence[Revision]:
    """Derive what changed activities and passed deadlines can matter to, and record it; gives what became of it.

    ``anew``: since when months of orders are read anew, of accounts whose rules changed. The result is that of
    deriving everything from scratch; the cost is that of the neighbourhood of the changes. The accounts are locked
    by the caller.
    """
    session, deadlines = uow.session, Deadlines()
    for passed in due:
        deadlines.set(passed.tenant, passed.account_id, passed.subject_id, passed.kind, None)
    findings = evidence_rules.observed(changes)
    await signals.derive(session, changes, agreed, findings)

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

    sums = scope_rules.touched(changes)
    await scope.count(session, sums)
    looks = {(d.tenant, d.account_id): d.due_at for d in due if d.kind == "scope" and d.due_at} | dict(anew or {})
    await scope.derive(session, sums, looks, agreed, findings, deadlines)

    revisions = await evidence.record(uow, findings, agreed.kind)
    await trail.keep(uow, changes, revisions, word)
    await figures.follow(session, revisions, changes)
    await _keep(session, deadlines)
    return revisions


async def follow(
    uow: UnitOfWork, changes: Sequence[Change], countries: Mapping[Key, str | None], word: Word | None = None
) -> None:
    """All that follows from changed activities: evidence, deadlines and last contacts; ``word`` is who changed them."""
    if changes:
        await derive(uow, changes, await terms(uow.session, uow.now, countries), word=word)
        await touch.record(uow, changes)


def _subjects(due: Iterable[Deadline], kind: str) -> list[tuple[str, UUID]]:
    return [(deadline.tenant, deadline.subject_id) for deadline in due if deadline.kind == kind]


async def _keep(session: AsyncSession, deadlines: Deadlines) -> None:
    every = list(deadlines.by_subject)
    lifted = [key for key in every if deadlines.by_subject[key].due_at is None]
    kept = [(key, deadlines.by_subject[key]) for key in every if deadlines.by_subject[key].due_at is not None]
    if lifted:
        await session.execute(_LIFT, arrays("tenants accounts subjects", lifted))
    if kept:
        rows = [(*key, deadline.kind, deadline.due_at) for key, deadline in kept]
        await session.execute(_SET, arrays("tenants accounts subjects kinds times", rows))
    await set_accounts(session, {(tenant, account) for tenant, account, _ in every})


async def set_accounts(session: AsyncSession, keys: Iterable[Key]) -> None:
    """Make accounts due when the earliest of their deadlines is."""
    wanted = list(keys)
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


def _keys(keys: Sequence[Key]) -> dict[str, str]:
    return arrays("tenants accounts", keys)
