"""The 5P grid."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stakeholder_svc.grid.rules import Grid, index, is_low

marks = st.integers(1, 5)
grids = st.builds(Grid, marks, marks, marks, marks, marks, marks)


@given(grids)
def test_totals_lie_in_their_ranges(grid: Grid) -> None:
    assert 5 <= grid.total <= 25
    assert 5 <= grid.weighted_total <= 125
    assert grid.weighted_total == grid.weight * grid.total


@given(st.lists(grids, min_size=1))
def test_the_index_is_a_weighted_mean_between_the_worst_and_the_best(given_grids: list[Grid]) -> None:
    each = [(grid.total - 5) / 20 for grid in given_grids]
    found = index(given_grids)
    assert found is not None
    assert min(each) - 1e-12 <= found <= max(each) + 1e-12


def test_the_index_weighs_people() -> None:
    friend, foe = Grid(5, 5, 5, 5, 5, weight=1), Grid(1, 1, 1, 1, 1, weight=3)
    assert pytest.approx(0.25) == index([friend, foe])


def test_an_account_without_marks_has_no_index() -> None:
    assert None is index([])


@pytest.mark.parametrize(("last", "low"), [(2, True), (3, False)])
def test_a_total_of_twelve_is_low_and_thirteen_is_not(last: int, low: bool) -> None:
    assert low is is_low(Grid(2, 3, 3, 2, last))
