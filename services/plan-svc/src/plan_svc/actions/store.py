"""All SQL of actions. Who changes one holds the lock of its plan or play: they change in turn."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped
from sqlmodel import col

from plan_svc.actions.rules import ActionStatus, Step
from plan_svc.actions.tables import Action

Home = tuple[str, UUID]
"""A plan or a play: its tenant and id."""


async def of_plans(session: AsyncSession, plans: Collection[Home]) -> dict[Home, list[Action]]:
    """The actions of each plan, in order."""
    return await _by_home(session, col(Action.plan_id), plans)


async def of_plays(session: AsyncSession, plays: Collection[Home]) -> dict[Home, list[Action]]:
    """The steps of each play, in order."""
    return await _by_home(session, col(Action.play_id), plays)


async def find(session: AsyncSession, tenant: str, action_id: UUID) -> Action | None:
    """One action, or None."""
    return (
        await session.scalars(select(Action).where(col(Action.tenant) == tenant, col(Action.action_id) == action_id))
    ).one_or_none()


async def reload(session: AsyncSession, action: Action) -> None:
    """Read an action again, once its home is locked: somebody may have changed it meanwhile."""
    await session.refresh(action)


async def page_of_plan(
    session: AsyncSession, tenant: str, plan_id: UUID, *, after: tuple[int, UUID] | None, limit: int
) -> Sequence[Action]:
    """A plan's actions in order, from after a (position, id) on."""
    query = select(Action).where(col(Action.tenant) == tenant, col(Action.plan_id) == plan_id)
    if after is not None:
        query = query.where(tuple_(col(Action.position), col(Action.action_id)) > tuple_(*after))
    return (await session.scalars(query.order_by(col(Action.position), col(Action.action_id)).limit(limit))).all()


def step(action: Action) -> Step:
    """An action as the rules see it."""
    return Step(action.action_id, action.due_on, ActionStatus(action.status), action.reported_for)


async def _by_home(
    session: AsyncSession, home: Mapped[UUID | None], keys: Collection[Home]
) -> dict[Home, list[Action]]:
    found: dict[Home, list[Action]] = {key: [] for key in keys}
    if keys:
        query = select(Action).where(tuple_(col(Action.tenant), home).in_(list(keys)))
        for action in await session.scalars(query.order_by(col(Action.position), col(Action.action_id))):
            owner = action.plan_id or action.play_id
            assert owner is not None
            found[action.tenant, owner].append(action)
    return found
