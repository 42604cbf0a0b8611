"""Which way a plan may go and how long it runs."""

from datetime import date

import pytest

from plan_svc.plans.rules import PlanStatus, ends_on, reachable

ORDER = [PlanStatus.DRAFT, PlanStatus.ACTIVE, PlanStatus.CLOSED]


@pytest.mark.parametrize("now", ORDER)
@pytest.mark.parametrize("then", ORDER)
def test_a_plan_never_goes_back(now: PlanStatus, then: PlanStatus) -> None:
    assert (ORDER.index(then) >= ORDER.index(now)) == reachable(now, then)


@pytest.mark.parametrize(
    ("starts_on", "years", "end"),
    [
        (date(2026, 4, 1), 1, date(2027, 4, 1)),
        (date(2026, 4, 1), 3, date(2029, 4, 1)),
        (date(2028, 2, 29), 1, date(2029, 3, 1)),
    ],
)
def test_a_plan_runs_for_whole_years(starts_on: date, years: int, end: date) -> None:
    assert end == ends_on(starts_on, years)
