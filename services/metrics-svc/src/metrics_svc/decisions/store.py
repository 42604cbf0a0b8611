"""All SQL of what people decide: whose a name is, that it is nobody's, and where one activity belongs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from bellwether_kit.db import UnitOfWork
from metrics_svc.accounts import store as accounts
from metrics_svc.activities.rules import Change, Reference
from metrics_svc.activities.store import BEFORE_AND_AFTER, changes_of
from metrics_svc.derivation.store import follow
from metrics_svc.errors import UnknownAccount, UnknownActivity
from metrics_svc.references import store as references
from metrics_svc.references.store import Claimed
from metrics_svc.reported import store as reported
from metrics_svc.surveys import store as surveys
from metrics_svc.trail.rules import Word

AT_ONCE = 500
"""How many activities one transaction moves; a timer moves the rest."""

_NAMED = "kind = :kind AND source = :source AND value = :value"

_SAY = text("""
    INSERT INTO reference_word (tenant, kind, source, value, account_id, author, reason, said_at, undone, due_at)
    VALUES (:tenant, :kind, :source, :value, :account_id, :author, :reason, :now, false, :due_at)
    ON CONFLICT (tenant, kind, source, value) DO UPDATE
    SET account_id = EXCLUDED.account_id, author = EXCLUDED.author, reason = EXCLUDED.reason,
        said_at = EXCLUDED.said_at, undone = false, due_at = EXCLUDED.due_at
""")

_UNDO = text(f"""
    UPDATE reference_word SET undone = true, due_at = :now, author = :author, reason = 'undone'
    WHERE tenant = :tenant AND {_NAMED} AND NOT undone AND (account_id IS NULL) = :dismissed
    RETURNING tenant, kind, source, value, account_id, author, reason, undone
""")

_DECISIONS = text("""
    SELECT kind, source, value, account_id, author, reason, said_at FROM reference_word
    WHERE tenant = :tenant AND NOT undone
      AND (CAST(:kind AS text) IS NULL OR (kind, source, value) > (:kind, CAST(:source AS text), CAST(:value AS text)))
    ORDER BY kind, source, value LIMIT :limit
""")

_DONE = text(f"DELETE FROM reference_word WHERE tenant = :tenant AND {_NAMED} AND undone")
_DUE = text(f"UPDATE reference_word SET due_at = :due_at WHERE tenant = :tenant AND {_NAMED}")

_MOVE = text(f"""
    UPDATE activity AS kept SET account_id = CAST(:account_id AS uuid)
    FROM (
        SELECT activity_id FROM activity
        WHERE tenant = :tenant AND placed_by IS NULL AND account_id = CAST(:previous AS uuid)
          AND reference_kind = :kind AND reference_source = :source AND reference_value = :value
        ORDER BY activity_id LIMIT :limit
    ) AS next
    WHERE kept.tenant = :tenant AND kept.activity_id = next.activity_id
    RETURNING WITH (OLD AS before, NEW AS after) {BEFORE_AND_AFTER}
""")

_TAKE = text(_MOVE.text.replace("account_id = CAST(:previous AS uuid)", "account_id IS NULL"))

# Those whose account itself claimed the name, now or earlier, were there without anybody's word.
_CLAIMS = text(f"""
    SELECT FROM account_reference WHERE tenant = :tenant AND {_NAMED} AND account_id = :account_id
""")

_IS_THERE = text("SELECT FROM account WHERE tenant = :tenant AND account_id = :account_id AND NOT removed")
_WHERE = text("SELECT account_id FROM activity WHERE tenant = :tenant AND activity_id = :id")

_PLACE = text(f"""
    UPDATE activity AS kept SET account_id = CAST(:account_id AS uuid), placed_by = :author
    WHERE tenant = :tenant AND activity_id = :id
    RETURNING WITH (OLD AS before, NEW AS after) {BEFORE_AND_AFTER}
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What somebody decided about a name: its account, or none when it is to be left alone."""

    tenant: str
    reference: Reference
    account_id: UUID | None
    word: Word
    undone: bool = False

    def key(self) -> dict[str, str]:
        """The parameters that name it."""
        name = self.reference
        return {"tenant": self.tenant, "kind": name.kind, "source": name.source, "value": name.value}


async def decide(uow: UnitOfWork, decision: Decision) -> int:
    """Take a decision, in place of an earlier one about the name; gives how many activities it moved at once.

    Raises UnknownAccount.
    """
    await references.hold_matching(uow.session, {decision.tenant})
    if decision.account_id is not None:
        await _find_account(uow.session, decision.tenant, decision.account_id)
    given = {**decision.key(), "account_id": decision.account_id, **_said(decision.word), "now": uow.now}
    await uow.session.execute(_SAY, {**given, "due_at": None})
    if decision.account_id is None:
        return 0
    claims = [Claimed(decision.tenant, decision.reference, decision.account_id, None)]
    await accounts.lock(uow.session, {(decision.tenant, decision.account_id)})
    await surveys.match(uow, claims)
    await reported.match(uow, claims)
    return await carry_out(uow, decision)


async def undo(uow: UnitOfWork, tenant: str, reference: Reference, *, dismissed: bool, word: Word) -> bool:
    """Take a decision back: what it moved goes where the name leads without it. False when there is none."""
    key = Decision(tenant=tenant, reference=reference, account_id=None, word=word).key()
    await references.hold_matching(uow.session, {tenant})
    given = {**key, **_said(word), "dismissed": dismissed, "now": uow.now}
    row = (await uow.session.execute(_UNDO, given)).first()
    if row is not None:
        await carry_out(uow, decision_of(row))
    return row is not None


def decision_of(row: Row[Any]) -> Decision:
    """The decision a row stands for."""
    return Decision(
        tenant=row.tenant,
        reference=Reference(kind=row.kind, source=row.source, value=row.value),
        account_id=row.account_id,
        word=Word(row.author, row.reason),
        undone=row.undone,
    )


async def carry_out(uow: UnitOfWork, decision: Decision) -> int:
    """Move some of the activities a decision is about, and have the timer go on while some are left."""
    moved = await _give_back(uow, decision) if decision.undone else await _give(uow, decision)
    left = moved == AT_ONCE
    await uow.session.execute(_DUE, {**decision.key(), "due_at": uow.now if left else None})
    if not left:
        await uow.session.execute(_DONE, decision.key())
    return moved


async def _give(uow: UnitOfWork, decision: Decision) -> int:
    if decision.account_id is None:
        return 0
    countries = await accounts.lock(uow.session, {(decision.tenant, decision.account_id)})
    given = {**decision.key(), "account_id": decision.account_id, "limit": AT_ONCE}
    changes = changes_of(await uow.session.execute(_TAKE, given))
    await follow(uow, changes, countries, decision.word)
    return len(changes)


async def _give_back(uow: UnitOfWork, decision: Decision) -> int:
    key = {**decision.key(), "account_id": decision.account_id}
    if decision.account_id is None or (await uow.session.execute(_CLAIMS, key)).first() is not None:
        return 0
    found = await references.find(uow.session, decision.tenant, {decision.reference})
    home = found.get(decision.reference)
    wanted = {(decision.tenant, account) for account in (home, decision.account_id) if account is not None}
    countries = await accounts.lock(uow.session, wanted)
    claims = [Claimed(decision.tenant, decision.reference, home, decision.account_id)]
    await surveys.match(uow, claims)
    await reported.match(uow, claims)
    given = {**key, "account_id": home, "previous": decision.account_id, "limit": AT_ONCE}
    changes = changes_of(await uow.session.execute(_MOVE, given))
    await follow(uow, changes, countries, decision.word)
    return len(changes)


async def place(uow: UnitOfWork, tenant: str, activity_id: UUID, account_id: UUID | None, word: Word) -> None:
    """Give one activity to an account, or to none, whatever its reference says from now on.

    Both accounts are derived again. Raises UnknownActivity, UnknownAccount.
    """
    session, given = uow.session, {"tenant": tenant, "id": activity_id}
    row = (await session.execute(_WHERE, given)).first()
    if row is None:
        raise UnknownActivity("There is no activity of this id.")
    if account_id is not None:
        await _find_account(session, tenant, account_id)
    locked = {(tenant, account) for account in (row.account_id, account_id) if account is not None}
    countries = await accounts.lock(session, locked)
    given |= {"account_id": account_id, "author": word.author}
    changes = [change for change in changes_of(await session.execute(_PLACE, given)) if change.before != change.after]
    late = _accounts(changes) - locked
    await follow(uow, changes, countries | await accounts.lock(session, late), word)


def _accounts(changes: Sequence[Change]) -> set[accounts.Key]:
    return {(one.tenant, one.account_id) for change in changes for one in change.versions() if one.account_id}


async def _find_account(session: AsyncSession, tenant: str, account_id: UUID) -> None:
    known = await session.execute(_IS_THERE, {"tenant": tenant, "account_id": account_id})
    if known.first() is None:
        raise UnknownAccount("There is no account of this id.", pointer="/account_id")


def _said(word: Word) -> dict[str, str]:
    return {"author": word.author, "reason": word.reason}


async def decisions(
    session: AsyncSession, tenant: str, *, after: Sequence[str] | None, limit: int
) -> Sequence[Row[Any]]:
    """All decisions about names that hold, by name, from a position on."""
    name = dict(zip(("kind", "source", "value"), after or (None, None, None), strict=True))
    return (await session.execute(_DECISIONS, {"tenant": tenant, "limit": limit, **name})).all()
