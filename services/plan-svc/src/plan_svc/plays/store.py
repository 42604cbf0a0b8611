"""All SQL of plays, and what is said when one opens or closes."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import ColumnElement, insert, select, tuple_
from sqlalchemy.dialects.postgresql import insert as insert_or_skip
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bellwether_kit.db import UnitOfWork
from bellwether_kit.events import Event, Received
from bellwether_kit.ids import opaque_id
from plan_svc.actions import store as actions
from plan_svc.actions.rules import ActionStatus, next_report, overdue_from
from plan_svc.actions.tables import Action
from plan_svc.plays.rules import CloseReason, PlayStatus
from plan_svc.plays.tables import Play
from plan_svc.published import PlayClosed, PlayOpened
from plan_svc.templates.rules import due_on, template_of


class Ended(Protocol):
    """What is said of a play that ended: its row has it, and so has the play of the alert rules."""

    @property
    def play_id(self) -> UUID:
        """Its id."""

    @property
    def play(self) -> str:
        """The code of its template."""

    @property
    def alert_id(self) -> UUID | None:
        """The alert it answered, or None."""

    @property
    def close_reason(self) -> str | None:
        """Why it ended."""


async def find(session: AsyncSession, tenant: str, play_id: UUID) -> Play | None:
    """One play, or None."""
    return (
        await session.scalars(select(Play).where(col(Play.tenant) == tenant, col(Play.play_id) == play_id))
    ).one_or_none()


async def lock(session: AsyncSession, tenant: str, play_id: UUID) -> Play | None:
    """One play, locked until the transaction ends; or None."""
    query = select(Play).where(col(Play.tenant) == tenant, col(Play.play_id) == play_id).with_for_update()
    return (await session.scalars(query)).one_or_none()


async def of_keys(session: AsyncSession, keys: Collection[tuple[str, UUID]]) -> Sequence[Play]:
    """The plays of (tenant, id) pairs."""
    return (
        await session.scalars(select(Play).where(tuple_(col(Play.tenant), col(Play.play_id)).in_(list(keys))))
    ).all()


async def lock_open(session: AsyncSession, accounts: Collection[tuple[str, UUID]]) -> Sequence[Play]:
    """The open plays of accounts, locked in order of their keys."""
    query = (
        select(Play)
        .where(
            tuple_(col(Play.tenant), col(Play.account_id)).in_(list(accounts)),
            col(Play.status) == PlayStatus.OPEN,
        )
        .order_by(col(Play.tenant), col(Play.play_id))
        .with_for_update()
    )
    return (await session.scalars(query)).all()


async def page(
    session: AsyncSession,
    tenant: str,
    *,
    account_id: UUID | None,
    status: str | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> Sequence[Play]:
    """Plays, the newest first, from before an (opened_at, id) on."""
    wanted: list[ColumnElement[bool]] = [col(Play.tenant) == tenant]
    if account_id is not None:
        wanted.append(col(Play.account_id) == account_id)
    if status is not None:
        wanted.append(col(Play.status) == status)
    if after is not None:
        wanted.append(tuple_(col(Play.opened_at), col(Play.play_id)) < tuple_(*after))
    query = select(Play).where(*wanted).order_by(col(Play.opened_at).desc(), col(Play.play_id).desc()).limit(limit)
    return (await session.scalars(query)).all()


async def add(session: AsyncSession, plays: Sequence[Play]) -> set[UUID]:
    """Store new plays with the steps of their templates; gives the ids of those that were.

    A play is left out when its account has one of its kind open already: the index `play_one_open` decides.
    """
    if not plays:
        return set()
    for play in plays:
        play.next_due_at = _first_due(play) if play.status == PlayStatus.OPEN else None
    rows = [play.model_dump() for play in plays]
    kept = await session.execute(
        insert_or_skip(Play).values(rows).on_conflict_do_nothing().returning(col(Play.play_id))
    )
    added = set(kept.scalars())
    steps = [step for play in plays if play.play_id in added for step in _steps(play)]
    if steps:
        await session.execute(insert(Action), steps)
    return added


async def close_of_accounts(uow: UnitOfWork, accounts: Collection[tuple[str, UUID]]) -> None:
    """Close every open play of accounts that are no more, worked on or not."""
    for play in await lock_open(uow.session, accounts):
        close(uow, play, CloseReason.ACCOUNT_REMOVED)
    await uow.session.flush()


def close(uow: UnitOfWork, play: Play, reason: CloseReason, note: str | None = None) -> None:
    """Close a locked play, and say so."""
    play.status, play.closed_at, play.close_reason, play.close_note = PlayStatus.CLOSED, uow.now, reason, note
    play.next_due_at, play.version = None, play.version + 1
    uow.emit(closed(play.tenant, play.account_id, play, uow.now))


def reschedule(play: Play, steps: Iterable[Action]) -> None:
    """Set when a timer must look at a play's steps again."""
    play.next_due_at = next_report(map(actions.step, steps)) if play.status == PlayStatus.OPEN else None


def opened(play: Play, cause: Received[Any] | None = None) -> Event:
    """The event of a play that began; ``cause`` is the event it answers."""
    data = PlayOpened(
        play_id=play.play_id,
        account_id=play.account_id,
        play=play.play,
        alert_id=play.alert_id,
        accountable_id=play.accountable_id,
        opened_at=play.opened_at,
    )
    return Event.of(data, tenant=play.tenant, subject=str(play.account_id), time=play.opened_at, cause=cause)


def closed(tenant: str, account_id: UUID, play: Ended, at: datetime, cause: Received[Any] | None = None) -> Event:
    """The event of a play that ended at ``at``; ``cause`` is the event that ended it."""
    data = PlayClosed(
        play_id=play.play_id,
        account_id=account_id,
        play=play.play,
        alert_id=play.alert_id,
        closed_at=at,
        reason=str(play.close_reason),
    )
    return Event.of(data, tenant=tenant, subject=str(account_id), time=at, cause=cause)


def _first_due(play: Play) -> datetime | None:
    template = template_of(play.play)
    assert template is not None
    return min((overdue_from(due_on(step, play.opened_at.date())) for step in template.steps), default=None)


def _steps(play: Play) -> list[dict[str, object]]:
    """The steps of a play as rows: who answers for the play answers for and does each of them."""
    template = template_of(play.play)
    assert template is not None
    return [
        Action(
            tenant=play.tenant,
            action_id=opaque_id(play.tenant, "play-step", str(play.play_id), str(position)),
            account_id=play.account_id,
            play_id=play.play_id,
            position=position,
            title=step.title,
            why=step.why,
            due_on=due_on(step, play.opened_at.date()),
            accountable_id=play.accountable_id,
            responsible_ids=[play.accountable_id],
            consulted_ids=[],
            informed_ids=[],
            depends_on=[],
            success_measure=step.success_measure,
            status=ActionStatus.OPEN,
            created_at=play.opened_at,
            updated_at=play.opened_at,
        ).model_dump()
        for position, step in enumerate(template.steps, start=1)
    ]
