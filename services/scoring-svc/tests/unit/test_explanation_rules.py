"""Points add up exactly, caps among them, and a piece's points are the effect of leaving it out."""

import math
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring_svc.caps.rules import caps_in_force
from scoring_svc.explanation.rules import drivers, explain, measure_points, situation_told
from scoring_svc.health.rules import Balances, Standing, measure_values
from scoring_svc.ledger.rules import Memory, Piece
from scoring_svc.scorecards.rules import DAY, DEFAULT, KIND_WEIGHTS
from scoring_svc.situation.rules import NOTHING_KNOWN, Situation

NOW = 1_770_000_000.0
KINDS = st.sampled_from([*sorted(KIND_WEIGHTS), "renewal-declined", "renewal-signed", "smoke-signal"])
SITUATIONS = st.builds(
    Situation, champions=st.integers(0, 1), champions_lost=st.integers(0, 1), opposing_vetoes=st.integers(0, 1)
)
TAKEN = st.dictionaries(st.sampled_from([3, 4, 6, 7]), st.none() | st.floats(0, 100))


@st.composite
def evidence(draw: st.DrawFn) -> list[Piece]:
    found = []
    for number in range(draw(st.integers(0, 12))):
        kind, dimension = draw(KINDS), draw(st.integers(-1, 2))
        weight = KIND_WEIGHTS.get(kind, 0.0) if dimension >= 0 else 0.0
        observed = NOW - draw(st.integers(0, 400)) * DAY
        found.append(Piece(str(UUID(int=number)), kind, dimension, weight, observed))
    return found


@given(st.lists(st.one_of(st.none(), st.floats(0, 100)), min_size=8, max_size=8))
def test_measure_points_add_up_to_the_distance_from_fifty(values: list[float | None]) -> None:
    known = [(w, v) for w, v in zip(DEFAULT.measure_weights, values, strict=True) if v is not None]
    score = sum(w * v for w, v in known) / sum(w for w, _ in known) if known else 50.0
    assert score - 50.0 == pytest.approx(math.fsum(measure_points(DEFAULT, values)), abs=1e-9)


@given(evidence(), TAKEN, SITUATIONS)
def test_measures_and_caps_add_up_to_the_distance_of_the_score_from_fifty(
    told: list[Piece], taken: dict[int, float | None], situation: Situation
) -> None:
    found = explain(DEFAULT, told, None, taken, NOW, situation)
    assert found.uncapped - 50.0 == pytest.approx(math.fsum(found.points), abs=1e-9)
    capped = [share.points for share in found.caps]
    assert found.score - 50.0 == pytest.approx(math.fsum([*found.points, *capped]), abs=1e-9)
    assert found.score == min([found.uncapped, *(share.cap.limit for share in found.caps)])
    assert capped[1:] == [0.0] * len(capped[1:])
    assert found.caps == sorted(found.caps, key=lambda share: share.cap.limit)


@given(evidence(), TAKEN, SITUATIONS)
def test_the_points_of_evidence_are_the_effect_of_leaving_it_out(
    told: list[Piece], taken: dict[int, float | None], situation: Situation
) -> None:
    found = explain(DEFAULT, told, None, taken, NOW, situation)
    for share in found.evidence:
        others = [piece for piece in told if piece is not share.piece]
        without = explain(DEFAULT, others, None, taken, NOW, situation)
        assert found.uncapped - without.uncapped == pytest.approx(share.points, abs=1e-9)
        assert found.score - without.score == pytest.approx(share.shown_points, abs=1e-9)


@given(evidence(), SITUATIONS)
def test_the_caps_are_those_of_the_evaluation_and_name_the_evidence_behind_them(
    told: list[Piece], situation: Situation
) -> None:
    memory = Memory()
    for piece in told:
        memory.remember(piece, DEFAULT.half_lives, frozenset({"renewal-declined", "renewal-signed"}))
    found = explain(DEFAULT, told, None, {}, NOW, situation).caps
    assert [share.cap for share in found] == caps_in_force(DEFAULT, memory.marks, situation, NOW)
    for share in found:
        assert (share.evidence_id is not None) == (share.cap.cap == "renewal-declined")
    behind = {share.evidence_id for share in found} - {None}
    assert {piece.observed for piece in told if piece.evidence_id in behind} <= {memory.marks.get("renewal-declined")}


@pytest.mark.parametrize("caps", [[], ["champion-gone"], ["champion-gone", "veto-holder-detractor"]])
def test_people_cap_the_past_as_history_tells(caps: list[str]) -> None:
    found = explain(DEFAULT, [], None, {3: 100.0}, NOW, situation_told(["renewal-declined", *caps]))
    assert [share.cap.cap for share in found.caps] == caps  # without the evidence, no renewal was declined


def test_what_put_a_cap_in_force_moves_the_score_and_what_is_behind_it_does_not() -> None:
    told = [Piece(str(UUID(int=n)), "order-placed", 2, 1.5, NOW) for n in range(9)]
    told.append(Piece(str(UUID(int=9)), "renewal-declined", 2, -8.0, NOW))
    found = explain(DEFAULT, told, None, {}, NOW, NOTHING_KNOWN)
    assert (found.score, [(share.points, share.evidence_id) for share in found.caps]) == (
        20.0,
        [(20.0 - found.uncapped, told[-1].evidence_id)],
    )
    moved = {share.piece.kind: share.shown_points for share in found.evidence}
    assert moved["order-placed"] == 0.0
    assert moved["renewal-declined"] < -60.0


@given(evidence())
def test_drivers_have_the_points_of_the_explanation(told: list[Piece]) -> None:
    memory, balances = Memory(), Balances(NOW)
    for piece in told:
        memory.remember(piece, DEFAULT.half_lives, frozenset())
        balances.add(piece, DEFAULT.half_lives)
    values = measure_values(DEFAULT, Standing(balances), NOW)
    found = drivers(DEFAULT, values, balances.at(NOW, DEFAULT.half_lives), balances.counts, memory, NOW)
    explained = {share.piece.evidence_id: share.points for share in explain(DEFAULT, told, None, {}, NOW).evidence}
    assert len(found) == min(3, sum(piece.known for piece in told))
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
