"""Coverage of the required roles."""

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stakeholder_svc.coverage.rules import DEFAULT_REQUIRED, Contact, Coverage, assess, thread_share

ROLES = ["economic", "technical", "user", "sponsor", "legal"]
ANA, BEN, EVA = (UUID(int=n) for n in (1, 2, 3))
ours = st.frozensets(st.sampled_from([ANA, BEN, EVA]))
contacts = st.builds(
    Contact, st.frozensets(st.sampled_from(ROLES)), st.one_of(st.none(), st.integers(1, 5)), st.booleans(), ours
)
required = st.sets(st.sampled_from(ROLES), min_size=1)


def test_knowing_nobody_covers_nothing() -> None:
    assert Coverage(0.0, ("economic", "sponsor", "technical", "user"), 0) == assess([], DEFAULT_REQUIRED)


def test_full_coverage_takes_a_confirmed_powerful_person_in_every_role() -> None:
    everything = Contact(frozenset(ROLES), 5, confirmed=True)
    assert Coverage(100.0, (), 1) == assess([everything], DEFAULT_REQUIRED)


@pytest.mark.parametrize(
    ("power", "confirmed", "expected"),
    [(5, True, 25.0), (1, True, 12.5), (None, True, 18.75), (5, False, 12.5), (1, False, 6.25)],
)
def test_one_role_of_four_counts_by_power_and_certainty(power: int | None, confirmed: bool, expected: float) -> None:
    found = assess([Contact(frozenset({"economic"}), power, confirmed)], DEFAULT_REQUIRED)
    assert Coverage(expected, ("sponsor", "technical", "user"), 1) == found


@given(st.lists(contacts, max_size=6), required)
def test_coverage_lies_in_its_range_and_names_what_is_missing(known: list[Contact], roles: set[str]) -> None:
    found = assess(known, roles)
    assert 0 <= found.coverage <= 100
    assert {role for role in roles if not any(role in c.roles for c in known)} == set(found.missing_roles)


@given(st.lists(contacts, max_size=6), contacts, required)
def test_knowing_one_person_more_never_lowers_it(known: list[Contact], one: Contact, roles: set[str]) -> None:
    assert assess(known, roles).coverage <= assess([*known, one], roles).coverage


@given(contacts, required)
def test_knowing_a_person_better_never_lowers_it(one: Contact, roles: set[str]) -> None:
    before = assess([one], roles).coverage
    assert before <= assess([replace(one, confirmed=True)], roles).coverage
    assert before <= assess([replace(one, power=5)], roles).coverage


@given(st.lists(contacts, max_size=6), required)
def test_the_order_of_people_does_not_matter(known: list[Contact], roles: set[str]) -> None:
    assert assess(known, roles) == assess(known[::-1], sorted(roles, reverse=True))


def reached(power: int | None, *who: UUID) -> Contact:
    return Contact(frozenset(), power, confirmed=True, ours=frozenset(who))


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ([], None),
        ([reached(5)], None),
        ([reached(5, ANA)], 100.0),
        ([reached(5, ANA), reached(1, ANA), reached(5)], 100.0),
        ([reached(5, ANA), reached(5, BEN)], 50.0),
        ([reached(5, ANA), reached(1, BEN)], 66.67),
        ([reached(None, ANA), reached(None, BEN), reached(None, ANA, BEN)], 33.33),
        ([reached(5, ANA, BEN), reached(1, BEN, ANA)], 0.0),
    ],
)
def test_the_share_that_hangs_by_one_of_ours(known: list[Contact], expected: float | None) -> None:
    assert thread_share(known) == expected
    assert assess(known, DEFAULT_REQUIRED).thread_share == expected


@given(st.lists(contacts, min_size=1, max_size=6), st.sampled_from([ANA, BEN, EVA]), st.integers(0, 5))
def test_one_more_of_ours_in_touch_with_somebody_in_reach_never_tightens_the_thread(
    known: list[Contact], who: UUID, at: int
) -> None:
    before = thread_share(known)
    chosen = known[at % len(known)]
    if before is None or not chosen.ours:
        return
    known[at % len(known)] = replace(chosen, ours=chosen.ours | {who})
    after = thread_share(known)
    assert after is not None
    assert 0 <= after <= before <= 100
