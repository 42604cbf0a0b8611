"""When an action is overdue, how far a plan is, and circles of dependencies."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plan_svc.actions.rules import (
    ActionStatus,
    Step,
    cycle_through,
    days_overdue,
    next_report,
    overdue_from,
    progress,
    to_report,
)

DUE = date(2026, 3, 10)
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
A, B, C, D = (UUID(int=n) for n in range(1, 5))

days = st.dates(date(2026, 1, 1), date(2026, 12, 31))
steps = st.lists(
    st.builds(Step, st.uuids(), days, st.sampled_from(ActionStatus), st.one_of(st.none(), days)), max_size=12
)
instants = st.integers(0, 364 * 86_400).map(lambda second: NEW_YEAR + timedelta(seconds=second))


def step(status: ActionStatus = ActionStatus.OPEN, reported_for: date | None = None) -> Step:
    return Step(A, DUE, status, reported_for)


def test_an_action_is_overdue_from_the_first_instant_after_its_due_day() -> None:
    edge = datetime(2026, 3, 11, tzinfo=UTC)
    assert edge == overdue_from(DUE)
    assert to_report([step()], edge - timedelta(microseconds=1)) == []
    assert [step()] == to_report([step()], edge)
    assert days_overdue(DUE, edge) == 1


def test_an_action_is_reported_once_per_due_date() -> None:
    late = datetime(2026, 4, 1, tzinfo=UTC)
    assert to_report([step(reported_for=DUE)], late) == []
    assert [s.action_id for s in to_report([step(reported_for=DUE - timedelta(days=3))], late)] == [A]


def test_what_is_done_is_never_overdue() -> None:
    assert progress([step(ActionStatus.DONE)], datetime(2027, 1, 1, tzinfo=UTC)).overdue == 0


def test_a_plan_without_actions_has_come_nowhere() -> None:
    assert progress([], datetime(2026, 1, 1, tzinfo=UTC)).percent == 0.0


@given(steps, instants)
def test_figures_add_up(given_steps: list[Step], now: datetime) -> None:
    figures = progress(given_steps, now)
    assert figures.total == len(given_steps)
    assert figures.done + figures.overdue <= figures.total
    assert 0 <= figures.percent <= 100


@given(steps, instants)
def test_the_timer_comes_exactly_when_there_is_something_to_say(given_steps: list[Step], now: datetime) -> None:
    due = next_report(given_steps)
    assert bool(to_report(given_steps, now)) == (due is not None and due <= now)


@given(steps, instants, st.timedeltas(timedelta(0), timedelta(days=400)))
def test_time_alone_only_adds_overdue_actions(given_steps: list[Step], now: datetime, later: timedelta) -> None:
    assert progress(given_steps, now).overdue <= progress(given_steps, now + later).overdue


@pytest.mark.parametrize(
    ("waits_for", "circle"),
    [
        ({A: [A]}, [A, A]),
        ({A: [B], B: [A]}, [A, B, A]),
        ({A: [B], B: [C], C: [A]}, [A, B, C, A]),
        ({A: [B, D], B: [], D: [C], C: [A]}, [A, D, C, A]),
        ({A: [B, C], B: [D], C: [D], D: []}, []),
        ({A: [B], B: [C], C: [B]}, []),
        ({}, []),
    ],
)
def test_a_circle_is_told_with_its_members(waits_for: dict[UUID, list[UUID]], circle: list[UUID]) -> None:
    assert circle == cycle_through(A, waits_for)


numbers = st.integers(0, 6)


@given(st.dictionaries(numbers, st.lists(numbers, max_size=4), max_size=7), numbers)
def test_a_circle_is_found_exactly_when_the_start_can_be_reached_from_itself(
    edges: dict[int, list[int]], start: int
) -> None:
    reached: set[int] = set()
    frontier = set(edges.get(start, ()))
    while frontier:
        reached |= frontier
        frontier = {there for here in frontier for there in edges.get(here, ())} - reached
    waits_for = {UUID(int=a): [UUID(int=b) for b in found] for a, found in edges.items()}
    circle = cycle_through(UUID(int=start), waits_for)
    assert (start in reached) == bool(circle)
    assert all(after in waits_for[before] for before, after in pairwise(circle))
