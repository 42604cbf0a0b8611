"""A group's health by each policy."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring_svc.health.rules import plain_band
from scoring_svc.rollup.rules import POLICIES, Member, roll_up, shown
from scoring_svc.scorecards.rules import DEFAULT


def member(number: int, score: float | None, band: str | None = "watch", value: float = 0.0, depth: int = 1) -> Member:
    return Member(UUID(int=number), f"account {number}", depth, score, band, value)


PARENT = member(0, 80.0, "healthy", 100.0, depth=0)
GROUP = [PARENT, member(1, 30.0, "at-risk", 50.0), member(2, 60.0, "watch", 850.0), member(3, 5.0, "unknown", 9e9)]


@pytest.mark.parametrize(
    ("policy", "score", "band", "driver"),
    [
        ("own", 80.0, "healthy", 0),
        ("worst-child", 30.0, "at-risk", 1),
        ("value-weighted", 60.5, "watch", 2),
        ("mean", 170.0 / 3.0, "watch", 1),
    ],
)
def test_each_policy_has_its_score_and_names_who_drives_it(policy: str, score: float, band: str, driver: int) -> None:
    found = roll_up(policy, GROUP, DEFAULT)
    assert (found.score, found.band) == (pytest.approx(score), band)
    assert found.driver is GROUP[driver]
    assert found.bands == {"healthy": 1, "watch": 1, "at-risk": 1, "unknown": 1}


@pytest.mark.parametrize("policy", POLICIES)
def test_who_is_not_known_enough_makes_no_score(policy: str) -> None:
    found = roll_up(policy, [member(0, 5.0, "unknown", depth=0), member(1, None, None)], DEFAULT)
    assert (found.score, found.band, found.driver, found.bands["unknown"]) == (None, "unknown", None, 2)


@given(st.sampled_from(POLICIES), st.lists(st.tuples(st.floats(0, 100), st.floats(-1e9, 1e9)), min_size=1, max_size=9))
def test_a_group_is_never_worse_than_its_worst_nor_better_than_its_best(
    policy: str, told: list[tuple[float, float]]
) -> None:
    members = [member(n, score, "watch", value, depth=min(n, 1)) for n, (score, value) in enumerate(told)]
    score = roll_up(policy, members, DEFAULT).score
    assert score is not None
    assert min(score for score, _ in told) - 1e-9 <= score <= max(score for score, _ in told) + 1e-9


@pytest.mark.parametrize(
    ("computed", "said", "expected"),
    [
        ((20.0, "at-risk"), (None, None), (20.0, "at-risk", False)),
        ((None, None), (None, None), (None, None, False)),
        ((20.0, "at-risk"), (80.0, None), (80.0, "healthy", True)),
        ((20.0, "at-risk"), (None, "healthy"), (70.0, "healthy", True)),
        ((20.0, "at-risk"), (None, "watch"), (40.0, "watch", True)),
        ((95.0, "healthy"), (None, "watch"), (69.99, "watch", True)),
        ((95.0, "healthy"), (None, "at-risk"), (39.99, "at-risk", True)),
        ((50.0, "unknown"), (None, "watch"), (50.0, "watch", True)),
        ((None, None), (None, "at-risk"), (39.99, "at-risk", True)),
    ],
)
def test_what_a_person_says_is_shown_instead_of_what_was_computed(
    computed: tuple[float | None, str | None],
    said: tuple[float | None, str | None],
    expected: tuple[float | None, str | None, bool],
) -> None:
    found = shown(DEFAULT, *computed, *said)
    assert found == expected
    if found.override:
        assert found.score is not None
        assert plain_band(DEFAULT, found.score) == found.band
