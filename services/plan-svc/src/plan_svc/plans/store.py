"""All SQL of plans; a change of figures is stored and said in one place: neither without the other."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bellwether_kit.db import UnitOfWork
from bellwether_kit.events import Event
from plan_svc.actions import store as actions
from plan_svc.actions.rules import Progress, next_report, progress
from plan_svc.plans.rules import PlanStatus
from plan_svc.plans.tables import Plan
from plan_svc.published import PlanProgressed

_TICK = timedelta(microseconds=1)


async def find(session: AsyncSession, tenant: str, plan_id: UUID) -> Plan | None:
    """One plan, or None."""
    return (
        await session.scalars(select(Plan).where(col(Plan.tenant) == tenant, col(Plan.plan_id) == plan_id))
    ).one_or_none()


async def lock(session: AsyncSession, tenant: str, plan_id: UUID) -> Plan | None:
    """One plan, locked until the transaction ends; or None."""
    query = select(Plan).where(col(Plan.tenant) == tenant, col(Plan.plan_id) == plan_id).with_for_update()
    return (await session.scalars(query)).one_or_none()


async def of_keys(session: AsyncSession, keys: Collection[tuple[str, UUID]]) -> Sequence[Plan]:
    """The plans of (tenant, id) pairs."""
    return (
        await session.scalars(select(Plan).where(tuple_(col(Plan.tenant), col(Plan.plan_id)).in_(list(keys))))
    ).all()


async def page(
    session: AsyncSession,
    tenant: str,
    *,
    account_id: UUID | None,
    status: str | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> Sequence[Plan]:
    """Plans, newest first, from before a (created_at, id) on."""
    query = select(Plan).where(col(Plan.tenant) == tenant)
    if account_id is not None:
        query = query.where(col(Plan.account_id) == account_id)
    if status is not None:
        query = query.where(col(Plan.status) == status)
    if after is not None:
        query = query.where(tuple_(col(Plan.created_at), col(Plan.plan_id)) < tuple_(*after))
    return (
        await session.scalars(query.order_by(col(Plan.created_at).desc(), col(Plan.plan_id).desc()).limit(limit))
    ).all()


async def close_of_accounts(uow: UnitOfWork, accounts: Collection[tuple[str, UUID]]) -> None:
    """Close every plan of accounts that are no more."""
    query = (
        select(Plan)
        .where(tuple_(col(Plan.tenant), col(Plan.account_id)).in_(list(accounts)))
        .where(col(Plan.status) != PlanStatus.CLOSED)
        .order_by(col(Plan.tenant), col(Plan.plan_id))
        .with_for_update()
    )
    plans = (await uow.session.scalars(query)).all()
    for plan in plans:
        plan.status, plan.version, plan.updated_at = PlanStatus.CLOSED, plan.version + 1, uow.now
    await measure(uow, plans, status_changed=True)


async def measure(uow: UnitOfWork, plans: Sequence[Plan], *, status_changed: bool = False) -> None:
    """Count the actions of locked ``plans`` as of now, say what changed, and set when a timer must look again.

    A plan is spoken of from its first day in force on; a draft is nobody's business yet.
    """
    await uow.session.flush()
    by_plan = await actions.of_plans(uow.session, [(plan.tenant, plan.plan_id) for plan in plans])
    for plan in plans:
        steps = [actions.step(action) for action in by_plan[plan.tenant, plan.plan_id]]
        figures = progress(steps, uow.now)
        news = status_changed or plan.measured_at is None or figures != _figures(plan)
        plan.actions_total, plan.actions_done = figures.total, figures.done
        plan.actions_overdue, plan.progress = figures.overdue, figures.percent
        plan.overdue_since = list(figures.overdue_since)
        plan.next_due_at = next_report(steps) if plan.status == PlanStatus.ACTIVE else None
        if news and (plan.status == PlanStatus.ACTIVE or plan.measured_at is not None):
            # Readers keep the latest: where the clock went back, what is said now comes after what was said before.
            plan.measured_at = max(uow.now, plan.measured_at + _TICK) if plan.measured_at else uow.now
            uow.emit(_progressed(plan, plan.measured_at))
    await uow.session.flush()


def _figures(plan: Plan) -> Progress:
    since = tuple(plan.overdue_since)
    return Progress(plan.actions_total, plan.actions_done, plan.actions_overdue, plan.progress, since)


def _progressed(plan: Plan, now: datetime) -> Event:
    data = PlanProgressed(
        plan_id=plan.plan_id,
        account_id=plan.account_id,
        status=str(plan.status),
        progress=plan.progress,
        actions_total=plan.actions_total,
        actions_done=plan.actions_done,
        actions_overdue=plan.actions_overdue,
        overdue_since=plan.overdue_since,
        measured_at=now,
    )
    return Event.of(data, tenant=plan.tenant, subject=str(plan.account_id), time=now)
