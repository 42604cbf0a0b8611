"""Points add up exactly, and a piece's points are the effect of leaving it out."""

import math
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring_svc.explanation.rules import drivers, explain, measure_points
from scoring_svc.health.rules import Balances, Standing, measure_values
from scoring_svc.ledger.rules import Memory, Piece
from scoring_svc.scorecards.rules import DAY, DEFAULT, KIND_WEIGHTS

NOW = 1_770_000_000.0
TAKEN = {3: 60.0, 4: None, 6: 90.0, 7: None}


@st.composite
def evidence(draw: st.DrawFn) -> list[Piece]:
    found = []
    for number in range(draw(st.integers(0, 12))):
        kind, dimension = draw(st.sampled_from(sorted(KIND_WEIGHTS))), draw(st.integers(0, 2))
        observed = NOW - draw(st.integers(0, 400)) * DAY
        found.append(Piece(str(UUID(int=number)), kind, dimension, KIND_WEIGHTS[kind], observed))
    return found


@given(st.lists(st.one_of(st.none(), st.floats(0, 100)), min_size=8, max_size=8))
def test_measure_points_add_up_to_the_distance_from_fifty(values: list[float | None]) -> None:
    known = [(w, v) for w, v in zip(DEFAULT.measure_weights, values, strict=True) if v is not None]
    score = sum(w * v for w, v in known) / sum(w for w, _ in known) if known else 50.0
    assert score - 50.0 == pytest.approx(math.fsum(measure_points(DEFAULT, values)), abs=1e-9)


@given(evidence())
def test_the_points_of_evidence_are_the_effect_of_leaving_it_out(told: list[Piece]) -> None:
    found = explain(DEFAULT, told, None, TAKEN, NOW)
    assert found.score - 50.0 == pytest.approx(sum(found.points), abs=1e-9)
    for share in found.evidence:
        without = explain(DEFAULT, [piece for piece in told if piece is not share.piece], None, TAKEN, NOW)
        assert found.score - without.score == pytest.approx(share.points, abs=1e-9)


@given(evidence())
def test_drivers_have_the_points_of_the_explanation(told: list[Piece]) -> None:
    memory, balances = Memory(), Balances(NOW)
    for piece in told:
        memory.remember(piece, DEFAULT.half_lives, frozenset())
        balances.add(piece, DEFAULT.half_lives)
    values = measure_values(DEFAULT, Standing(balances), NOW)
    found = drivers(DEFAULT, values, balances.at(NOW, DEFAULT.half_lives), balances.counts, memory, NOW)
    explained = {share.piece.evidence_id: share.points for share in explain(DEFAULT, told, None, {}, NOW).evidence}
    assert len(found) == min(3, len(told))
    for driver in found:
        assert explained[driver.evidence_id] == pytest.approx(driver.points, abs=1e-9)


def test_losses_come_first_by_size_and_unknown_kinds_have_no_points() -> None:
    told = [
        Piece(str(UUID(int=1)), "meeting-held", 0, 2.0, NOW),
        Piece(str(UUID(int=2)), "meeting-declined", 0, -3.0, NOW),
        Piece(str(UUID(int=3)), "call-unreturned", 0, -2.0, NOW),
        Piece(str(UUID(int=4)), "smoke-signal", 0, 0.0, NOW),
    ]
    found = explain(DEFAULT, told, None, {}, NOW).evidence
    assert [share.piece.kind for share in found[:2]] == ["meeting-declined", "call-unreturned"]
    assert next(share.points for share in found if share.piece.kind == "smoke-signal") == 0.0


def test_a_loss_is_among_the_drivers_however_many_gains_are_heavier() -> None:
    told = [Piece(str(UUID(int=n)), "reference-given", 0, 4.0, NOW) for n in range(5)]
    told.append(Piece(str(UUID(int=9)), "call-unreturned", 0, -2.0, NOW))
    memory, balances = Memory(), Balances(NOW)
    for piece in told:
        memory.remember(piece, DEFAULT.half_lives, frozenset())
        balances.add(piece, DEFAULT.half_lives)
    values = measure_values(DEFAULT, Standing(balances), NOW)
    found = drivers(DEFAULT, values, balances.at(NOW, DEFAULT.half_lives), balances.counts, memory, NOW)
    assert [driver.kind for driver in found] == ["call-unreturned", "reference-given", "reference-given"]
