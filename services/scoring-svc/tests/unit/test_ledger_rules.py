"""Balances and memory do not depend on order, repetition or corrections, and equal a straight sum in exact numbers."""

import random
from decimal import Decimal, localcontext
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring_svc.ledger.rules import NEGATIVES_KEPT, Balances, Memory, Piece, dimension_index, worth
from scoring_svc.scorecards.rules import DAY, DEFAULT, KIND_WEIGHTS

NOW = 1_770_000_000.0
KINDS = sorted(KIND_WEIGHTS)
TRACKED = frozenset({"renewal-declined", "renewal-signed"})


@st.composite
def pieces(draw: st.DrawFn) -> Piece:
    kind = draw(st.sampled_from([*KINDS, "a-kind-nobody-knows"]))
    dimension = draw(st.integers(-1, 2))
    magnitude = draw(st.sampled_from([0.5, 1.0, 1.5, 2.0]))
    age = draw(st.integers(0, 900)) * DAY + draw(st.integers(0, 86_399))
    evidence_id = str(UUID(int=draw(st.integers(0, 2**128 - 1))))
    return Piece(evidence_id, kind, dimension, worth(DEFAULT, kind, dimension, magnitude), NOW - age)


def straight_sums(told: list[Piece], as_of: float) -> list[float]:
    """The five balances by their definition, in fifty decimal digits; shares no code with the rules."""
    with localcontext() as context:
        context.prec = 50
        sums = [Decimal(0)] * 5
        for piece in told:
            if piece.dimension < 0 or piece.weight == 0:
                continue
            age = (Decimal(as_of) - Decimal(piece.observed)) / 86_400
            days = (Decimal(60), Decimal(120), Decimal(180))[piece.dimension]
            sums[piece.dimension] += Decimal(piece.weight) * Decimal(2) ** (-age / days)
            if piece.kind in ("call-returned", "email-returned"):
                sums[3] += Decimal(2) ** (-age / 60)
            if piece.kind in ("call-unreturned", "email-unreturned"):
                sums[4] += Decimal(2) ** (-age / 60)
        return [float(value) for value in sums]


def folded(told: list[Piece], landmark: float) -> Balances:
    balances = Balances(landmark)
    for piece in told:
        balances.add(piece, DEFAULT.half_lives)
    return balances


@given(st.lists(pieces(), max_size=30), st.randoms(use_true_random=False), st.integers(-4_000, 4_000))
def test_balances_equal_the_straight_sum_in_any_order_from_any_landmark(
    told: list[Piece], shuffle: random.Random, days: int
) -> None:
    expected = straight_sums(told, NOW)
    shuffle.shuffle(told)
    found = folded(told, NOW + days * DAY).at(NOW, DEFAULT.half_lives)
    assert expected == pytest.approx(found, rel=1e-9, abs=1e-9)


@given(st.lists(pieces(), min_size=1, max_size=20), st.lists(pieces(), max_size=20))
def test_taking_pieces_back_leaves_the_balances_of_the_others(kept: list[Piece], taken: list[Piece]) -> None:
    balances = folded(taken + kept, NOW)
    for piece in taken:
        balances.add(piece, DEFAULT.half_lives, -1)
    expected = folded(kept, NOW)
    assert expected.at(NOW, DEFAULT.half_lives) == pytest.approx(balances.at(NOW, DEFAULT.half_lives), abs=1e-9)
    assert (expected.counts, expected.unknown) == (balances.counts, balances.unknown)


@given(st.lists(pieces(), max_size=20), st.integers(1, 40))
def test_rebasing_the_landmark_changes_no_balance(told: list[Piece], years: int) -> None:
    balances = folded(told, NOW - 900 * DAY)
    expected = balances.at(NOW, DEFAULT.half_lives)
    balances.rebase(NOW - 900 * DAY + years * 60 * DAY, DEFAULT.half_lives)
    assert expected == pytest.approx(balances.at(NOW, DEFAULT.half_lives), rel=1e-9, abs=1e-12)


def test_a_piece_far_past_the_landmark_moves_it_so_that_exponents_stay_small() -> None:
    balances = Balances(NOW - 61 * 60 * DAY)
    balances.add(Piece(str(UUID(int=1)), "call-returned", 0, 1.0, NOW - 61 * 60 * DAY), DEFAULT.half_lives)
    balances.add(Piece(str(UUID(int=2)), "call-returned", 0, 1.0, NOW), DEFAULT.half_lives)
    assert balances.landmark == NOW
    assert pytest.approx(balances.at(NOW, DEFAULT.half_lives)[0]) == 1.0


@given(st.lists(pieces(), max_size=40, unique_by=lambda piece: piece.evidence_id), st.randoms(use_true_random=False))
def test_what_is_remembered_does_not_depend_on_order(told: list[Piece], shuffle: random.Random) -> None:
    def remembered() -> Memory:
        memory = Memory()
        for piece in told:
            memory.remember(piece, DEFAULT.half_lives, TRACKED)
        return memory

    expected = remembered()
    shuffle.shuffle(told)
    assert expected == remembered()
    assert len(expected.negatives) <= NEGATIVES_KEPT
    known = [piece for piece in told if piece.known]
    assert [sorted((p.observed for p in known if p.dimension == d), reverse=True)[:3] for d in range(3)] == (
        expected.latest
    )


@given(st.lists(pieces(), min_size=1, max_size=40, unique_by=lambda piece: piece.evidence_id), st.data())
def test_what_is_not_known_to_memory_can_go_without_changing_it(told: list[Piece], data: st.DataObject) -> None:
    def remembered(some: list[Piece]) -> Memory:
        memory = Memory()
        for piece in some:
            memory.remember(piece, DEFAULT.half_lives, TRACKED)
        return memory

    gone = data.draw(st.sampled_from(told))
    memory = remembered(told)
    if not memory.knows(gone):
        assert memory == remembered([piece for piece in told if piece is not gone])


def test_an_unknown_kind_or_dimension_is_worth_nothing() -> None:
    assert worth(DEFAULT, "smoke-signal", 0, 1.0) == 0.0
    assert worth(DEFAULT, "call-returned", dimension_index("liver"), 1.0) == 0.0
    assert worth(DEFAULT, "call-unreturned", dimension_index("heart"), 2.0) == -4.0
