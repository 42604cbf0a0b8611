"""What plan-svc says: the definition of the contracts of topic `account-plans`."""

from datetime import date
from typing import Annotated, ClassVar
from uuid import UUID

import msgspec

from bellwether_kit.events import Payload, UtcTime

Percent = Annotated[float, msgspec.Meta(ge=0, le=100, description="Per cent, 0 to 100")]
Count = Annotated[int, msgspec.Meta(ge=0)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Code = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class PlanProgressed(Payload, frozen=True, kw_only=True):
    """How far a plan in force has come: said when a figure or its status changes, never for drafts."""

    topic: ClassVar[str] = "account-plans"
    event_type: ClassVar[str] = "account.plan.progressed.v1"

    plan_id: UUID
    account_id: UUID
    status: Annotated[str, msgspec.Meta(description="active or closed; an open vocabulary")]
    progress: Percent
    actions_total: Count
    actions_done: Count
    actions_overdue: Count
    measured_at: UtcTime
    overdue_since: Annotated[
        list[date] | None, msgspec.Meta(description="Due dates of the overdue actions, oldest first")
    ] = None


class ActionOverdue(Payload, frozen=True, kw_only=True):
    """An action's due date has passed (in UTC) and it is not done: said once per action and due date."""

    topic: ClassVar[str] = "account-plans"
    event_type: ClassVar[str] = "account.action.overdue.v1"

    action_id: UUID
    plan_id: Annotated[UUID | None, msgspec.Meta(description="The plan it belongs to; null for a step of a play")]
    account_id: UUID
    title: Name
    due_on: date
    accountable_id: Annotated[UUID, msgspec.Meta(description="Opaque id of the one person who answers for it")]
    days_overdue: Annotated[int, msgspec.Meta(ge=1)]
    play_id: Annotated[UUID | None, msgspec.Meta(description="The play it is a step of; null in a plan")] = None


class PlayOpened(Payload, frozen=True, kw_only=True):
    """A play was started for an account, by an alert or by hand."""

    topic: ClassVar[str] = "account-plans"
    event_type: ClassVar[str] = "account.play.opened.v1"

    play_id: UUID
    account_id: UUID
    play: Annotated[Code, msgspec.Meta(description="The template's code; an open vocabulary")]
    alert_id: Annotated[UUID | None, msgspec.Meta(description="The alert that opened it; null when opened by hand")]
    accountable_id: Annotated[UUID | None, msgspec.Meta(description="Opaque id of the one person who answers for it")]
    opened_at: UtcTime


class PlayClosed(Payload, frozen=True, kw_only=True):
    """A play came to its end."""

    topic: ClassVar[str] = "account-plans"
    event_type: ClassVar[str] = "account.play.closed.v1"

    play_id: UUID
    account_id: UUID
    play: Annotated[Code, msgspec.Meta(description="The template's code; an open vocabulary")]
    alert_id: UUID | None
    closed_at: UtcTime
    reason: Annotated[
        str,
        msgspec.Meta(description="alert-resolved, alert-moved-on, account-removed or closed-by-hand; open"),
    ]


PUBLISHED: tuple[type[Payload], ...] = (PlanProgressed, ActionOverdue, PlayOpened, PlayClosed)
