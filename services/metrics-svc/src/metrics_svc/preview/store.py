"""All SQL of previews: one account's history and record at a time, so that memory is that of the longest history."""

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from bellwether_kit.db import UnitOfWork
from metrics_svc.activities.store import READ, activity_of
from metrics_svc.derivation.rules import Policy, RuleBook
from metrics_svc.evidence import store as evidence
from metrics_svc.preview.rules import Difference, Kept, differences, history
from metrics_svc.terms.store import terms

LONGEST_HISTORY = 50_000
"""Accounts with more activities than this are named, not previewed."""
ENOUGH = 1_000
"""A step ends with the account in which it reaches so many differences."""

# What waits for a timer is not derived yet: its record is that of a moment ago, and no difference of the rules.
_ACCOUNTS = text("""
    SELECT account_id, due_at <= :now OR anew_at IS NOT NULL AS unsettled FROM account
    WHERE tenant = :tenant AND NOT removed AND account_id > :after
      AND account_id = coalesce(CAST(:only AS uuid), account_id)
    ORDER BY account_id LIMIT :limit
""")

# The row is the lock of all that is derived for the account: activities and record are of one moment.
_HOLD = text("""
    SELECT country, due_at <= :now OR anew_at IS NOT NULL AS unsettled FROM account
    WHERE tenant = :tenant AND account_id = :account_id AND NOT removed FOR SHARE
""")

_ACTIVITIES = text(f"""
    SELECT {READ}, currency, CASE WHEN type = ANY(CAST(:types AS text[])) THEN attributes END AS attributes
    FROM activity WHERE tenant = :tenant AND account_id = :account_id LIMIT :limit
""")

Rehearse = Callable[[], AbstractAsyncContextManager[UnitOfWork]]


@dataclass(slots=True)
class Step:
    """What came of previewing some accounts: counts of evidence now and then, and every difference."""

    accounts: int = 0
    activities: int = 0
    unsettled: list[UUID] = field(default_factory=list)
    too_long: list[UUID] = field(default_factory=list)
    now: Counter[str] = field(default_factory=Counter)
    then: Counter[str] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)
    last: UUID | None = None
    """The account after which the next step begins; None at the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked: a tenant's rules in force, or with ``policy`` from a moment on (None: always) instead."""

    tenant: str
    as_of: datetime
    policy: Policy | None = None
    since: datetime | None = None

    def book(self, in_force: RuleBook) -> RuleBook:
        """The rules that are previewed."""
        if self.policy is None:
            return in_force
        if self.since is None:
            return replace(in_force, policies=(), default=self.policy)
        before = [entry for entry in in_force.policies if entry[0] < self.since]
        return replace(in_force, policies=(*before, (self.since, self.policy)))


async def preview(rehearse: Rehearse, question: Question, *, only: UUID | None, after: UUID | None, limit: int) -> Step:
    """Derive accounts from scratch and compare; nothing is written, and each account is held but for its own turn."""
    step = Step()
    given = {"tenant": question.tenant, "only": only, "after": after or UUID(int=0), "limit": limit + 1}
    async with rehearse() as uow:
        rows = (await uow.session.execute(_ACCOUNTS, {**given, "now": question.as_of})).all()
    for number, row in enumerate(rows[:limit], 1):
        async with rehearse() as uow:
            await _account(uow.session, question, row.account_id, step)
        if number < len(rows) and (number == limit or len(step.differences) >= ENOUGH):
            step.last = row.account_id
            break
    return step


async def _account(session: AsyncSession, question: Question, account_id: UUID, step: Step) -> None:
    key = {"tenant": question.tenant, "account_id": account_id}
    held = (await session.execute(_HOLD, {**key, "now": question.as_of})).first()
    if held is None:
        return
    step.accounts += 1
    if held.unsettled:
        step.unsettled.append(account_id)
        return
    agreed = await terms(session, question.as_of, {(question.tenant, account_id): held.country})
    book = question.book(agreed.book(question.tenant))
    types = {signal.type for policy in book.every() for signal in policy.signals if signal.attributes}
    asked = {**key, "types": sorted(types), "limit": LONGEST_HISTORY + 1}
    kept = [_kept(row) for row in await session.execute(_ACTIVITIES, asked)]
    if len(kept) > LONGEST_HISTORY:
        step.too_long.append(account_id)
        return
    recorded = await evidence.of_account(session, question.tenant, account_id)
    found = history(kept, replace(agreed, books={question.tenant: book}))
    step.activities += len(kept)
    step.now.update(known.evidence.kind for known in recorded.values() if known.live)
    gone = {slot for slot, known in recorded.items() if known.withdrawn}
    step.then.update(piece.kind for slot, piece in found.evidence.items() if slot not in gone)
    step.differences += differences(recorded, found)


def _kept(row: Row[Any]) -> Kept:
    return Kept(activity_of(row), row.currency, row.attributes or {})
