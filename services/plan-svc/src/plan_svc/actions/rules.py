"""When an action is overdue, how far a plan has come, and whether actions wait for each other in a circle.

Days are UTC days. Pure: values in, values out.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from uuid import UUID


class ActionStatus(StrEnum):
    """Where an action stands."""

    OPEN = "open"
    IN_PROGRESS = "in-progress"
    BLOCKED = "blocked"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Step:
    """What the rules need to know of an action; ``reported_for`` is the due date last said overdue."""

    action_id: UUID
    due_on: date
    status: ActionStatus
    reported_for: date | None = None

    @property
    def report_at(self) -> datetime | None:
        """The instant at which it must be said overdue: None when done, or said already for this due date."""
        if self.status is ActionStatus.DONE or self.reported_for == self.due_on:
            return None
        return overdue_from(self.due_on)


@dataclass(frozen=True, slots=True)
class Progress:
    """The figures of some actions; ``percent`` is 100 · done / total, and 0 where there is nothing to do.

    ``overdue_since`` are the due dates of those that are overdue, oldest first.
    """

    total: int
    done: int
    overdue: int
    percent: float
    overdue_since: tuple[date, ...] = ()


def overdue_from(due_on: date) -> datetime:
    """The first instant after the due day, in UTC."""
    return datetime.combine(due_on + timedelta(days=1), time.min, UTC)


def is_overdue(step: Step, as_of: datetime) -> bool:
    """Whether the due day is over and the action isn't done."""
    return step.status is not ActionStatus.DONE and overdue_from(step.due_on) <= as_of


def days_overdue(due_on: date, as_of: datetime) -> int:
    """Whole UTC days past the due date; 1 from the first instant after the due day."""
    return (as_of.astimezone(UTC).date() - due_on).days


def progress(steps: Collection[Step], as_of: datetime) -> Progress:
    """Count the actions at ``as_of``."""
    total = len(steps)
    done = sum(step.status is ActionStatus.DONE for step in steps)
    since = tuple(sorted(step.due_on for step in steps if is_overdue(step, as_of)))
    return Progress(total, done, len(since), 100 * done / total if total else 0.0, since)


def to_report(steps: Iterable[Step], as_of: datetime) -> list[Step]:
    """The actions that are overdue and were not said so for this due date."""
    return [step for step in steps if step.report_at is not None and step.report_at <= as_of]


def next_report(steps: Iterable[Step]) -> datetime | None:
    """When a timer must look at these actions again, if ever."""
    return min((step.report_at for step in steps if step.report_at is not None), default=None)


def cycle_through(start: UUID, waits_for: Mapping[UUID, Collection[UUID]]) -> list[UUID]:
    """The actions of a circle of dependencies through ``start``, back to it; empty where there is none.

    Depth-first over ``waits_for`` (action → the actions it waits for); unknown actions wait for nothing.
    """
    came_from: dict[UUID, UUID] = {}
    stack = [start]
    while stack:
        here = stack.pop()
        for there in waits_for.get(here, ()):
            if there == start:
                return _path_back(start, here, came_from)
            if there not in came_from:
                came_from[there] = here
                stack.append(there)
    return []


def _path_back(start: UUID, last: UUID, came_from: Mapping[UUID, UUID]) -> list[UUID]:
    path = [start]
    here = last
    while here != start:
        path.append(here)
        here = came_from[here]
    return [start, *reversed(path[1:]), start]
