"""Metrics of others as measures from 0 to 100."""

from scoring_svc.measures.rules import on_schedule, satisfaction


def test_csat_is_taken_as_it_is_nps_is_spread_and_other_metrics_are_left() -> None:
    assert (satisfaction("csat", 85.0), satisfaction("csat", 120.0)) == (85.0, 100.0)
    assert (satisfaction("nps", 0.0), satisfaction("nps", -100.0), satisfaction("nps", 100.0)) == (50.0, 0.0, 100.0)
    assert satisfaction("revenue", 85.0) is None


def test_a_new_plan_is_on_schedule_and_each_overdue_action_takes_its_share() -> None:
    assert (on_schedule(4, 0), on_schedule(4, 1), on_schedule(4, 9)) == (100.0, 75.0, 0.0)
    assert on_schedule(0, 0) is None
