"""What follows when a due date passes: each overdue action is said once, and its plan's figures with it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from bellwether_kit.db import UnitOfWork
from bellwether_kit.events import Event
from plan_svc.actions import store
from plan_svc.actions.rules import days_overdue, to_report
from plan_svc.actions.tables import Action
from plan_svc.plans import store as plans
from plan_svc.plays import store as plays
from plan_svc.published import ActionOverdue


async def report_overdue_of_plans(uow: UnitOfWork, due: Sequence[Row[Any]]) -> None:
    """Say the overdue actions of plans whose time has come, and measure the plans anew."""
    claimed = await plans.of_keys(uow.session, [(row.tenant, row.plan_id) for row in due])
    by_plan = await store.of_plans(uow.session, [(plan.tenant, plan.plan_id) for plan in claimed])
    for actions in by_plan.values():
        _report(uow, actions)
    await plans.measure(uow, claimed)


async def report_overdue_of_plays(uow: UnitOfWork, due: Sequence[Row[Any]]) -> None:
    """Say the overdue steps of plays whose time has come."""
    claimed = await plays.of_keys(uow.session, [(row.tenant, row.play_id) for row in due])
    by_play = await store.of_plays(uow.session, [(play.tenant, play.play_id) for play in claimed])
    for play in claimed:
        steps = by_play[play.tenant, play.play_id]
        _report(uow, steps)
        plays.reschedule(play, steps)


def _report(uow: UnitOfWork, actions: Sequence[Action]) -> None:
    late = {step.action_id for step in to_report(map(store.step, actions), uow.now)}
    for action in actions:
        if action.action_id in late:
            action.reported_for = action.due_on
            uow.emit(_overdue(action, uow.now))


def _overdue(action: Action, now: datetime) -> Event:
    data = ActionOverdue(
        action_id=action.action_id,
        plan_id=action.plan_id,
        play_id=action.play_id,
        account_id=action.account_id,
        title=action.title,
        due_on=action.due_on,
        accountable_id=action.accountable_id,
        days_overdue=days_overdue(action.due_on, now),
    )
    return Event.of(data, tenant=action.tenant, subject=str(action.account_id), time=now)
