"""When a failed delivery is tried again."""

from datetime import UTC, datetime, timedelta

import pytest

from scoring_svc.notifications.rules import LONGEST_WAIT, PATIENCE, next_try

START = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.mark.parametrize(("attempts", "seconds"), [(1, 30), (2, 60), (3, 120), (8, 3_840), (100, 14_400)])
def test_waits_double_up_to_four_hours(attempts: int, seconds: int) -> None:
    assert next_try(attempts, START, START, 0.0) == START + timedelta(seconds=seconds)
    spread = next_try(attempts, START, START, 1.0)
    assert spread == START + timedelta(seconds=seconds / 2)


def test_patience_ends_after_three_days() -> None:
    late = START + PATIENCE - LONGEST_WAIT
    assert next_try(50, START, late - timedelta(seconds=1), 0.0) is not None
    assert next_try(50, START, late, 0.0) is None
