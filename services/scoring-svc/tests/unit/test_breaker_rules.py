"""How many alerts are a storm."""

import pytest

from scoring_svc.breaker.rules import is_by_silence, limit, overflow


@pytest.mark.parametrize(("accounts", "most"), [(0, 20), (400, 20), (420, 21), (10_000, 500)])
def test_a_storm_is_more_than_a_twentieth_of_the_accounts_and_than_twenty(accounts: int, most: int) -> None:
    assert limit(20, accounts) == most


@pytest.mark.parametrize(
    ("opened", "new", "held"), [(20, 20, 0), (21, 1, 1), (21, 21, 1), (100, 30, 30), (0, 0, 0), (40, 200, 20)]
)
def test_only_what_is_new_and_beyond_is_held(opened: int, new: int, held: int) -> None:
    assert overflow(opened, new, 20) == held


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (["going-dark"], True),
        (["going-dark", "health-below"], True),
        (["health-below"], False),
        (["going-dark", "decisive-evidence"], False),
        ([], False),
    ],
)
def test_an_alert_is_by_silence_when_nothing_else_speaks_for_it(rules: list[str], expected: bool) -> None:
    assert is_by_silence(rules) is expected
