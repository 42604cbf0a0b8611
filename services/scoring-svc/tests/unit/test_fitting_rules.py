"""Fitting: slopes against differences of the score itself, and what a proposal may and may not be."""

from dataclasses import replace
from datetime import date, timedelta
from random import Random

import pytest

from scoring_svc.fitting.rules import LARGEST_WORTH, Past, Weight, proposed, score_under, split, table
from scoring_svc.health.rules import weighted_score
from scoring_svc.retrospect.rules import Seen, look
from scoring_svc.scorecards.rules import DAY, DEFAULT, KIND_WEIGHTS, MEASURES, Scorecard

NOON = 15_000.5 * DAY
KINDS = (("order-placed", 2), ("scope-reduced", 2), ("meeting-held", 0), ("call-returned", 0), ("advice-sought", 1))


def past(number: int, random: Random) -> Past:
    """An account with a few pieces of evidence of any kind."""
    pieces = [(*random.choice(KINDS), NOON - random.random() * 200 * DAY) for _ in range(random.randint(1, 9))]
    history = sorted((Seen(kind, place, 1.0, at) for kind, place, at in pieces), key=lambda piece: piece.observed)
    seen = look(DEFAULT, [Seen("client-contacted", 0, 1.0, NOON - 300 * DAY), *history], NOON, 30.0)
    assert seen is not None
    return Past(number, random.random() < 0.5, seen.measures, seen.sums)


@pytest.fixture
def pasts() -> list[Past]:
    random = Random(7)
    return [past(number, random) for number in range(200)]


def weighing(card: Scorecard, weight: Weight, by: float) -> Scorecard:
    if weight.of == "kind":
        return replace(card, kind_weights={**card.kind_weights, weight.name: card.kind_weights[weight.name] + by})
    weights = [w + by * (name == weight.name) for name, w in zip(MEASURES, card.measure_weights, strict=True)]
    return replace(card, measure_weights=tuple(weights))


def test_the_score_of_a_case_is_that_of_its_measures(pasts: list[Past]) -> None:
    for each in pasts:
        assert score_under(DEFAULT, each) == pytest.approx(weighted_score(DEFAULT, each.measures))


def test_a_kind_that_is_worth_nothing_makes_no_measure() -> None:
    only = Past(1, False, (None, None, 60.0, 75.0, None, None, None, None), {(2, "order-placed"): 2.0})
    assert score_under(replace(DEFAULT, kind_weights={**KIND_WEIGHTS, "order-placed": 0.0}), only) == 75.0


def test_a_capped_score_moves_with_no_weight(pasts: list[Past]) -> None:
    capped = [pasts[0]._replace(cap=1.0), *pasts[1:]]
    assert score_under(DEFAULT, capped[0]) == 1.0
    found = table(DEFAULT, capped)
    place = found.weights.index(Weight("measure", "engagement")) + 1
    mean = -sum(row[place] for row in found.rows[1:])  # columns add up to nought
    assert found.rows[0][place] == pytest.approx(mean)
    assert found.rows[0][0] == min(row[0] for row in found.rows)


def test_columns_are_the_slopes_of_the_score(pasts: list[Past]) -> None:
    found = table(DEFAULT, pasts)
    assert Weight("kind", "order-placed") in found.weights
    assert Weight("measure", "engagement") in found.weights
    for place, weight in enumerate(found.weights, 1):
        more, less = weighing(DEFAULT, weight, 1e-4), weighing(DEFAULT, weight, -1e-4)
        slopes = [(score_under(more, each) - score_under(less, each)) / 2e-4 for each in pasts]
        mean = sum(slopes) / len(slopes)
        wanted = [(slope - mean) / found.spreads[place] for slope in slopes]
        assert [row[place] for row in found.rows] == pytest.approx(wanted, abs=1e-4), weight


def test_kinds_that_few_accounts_have_and_measures_that_none_has_are_left_alone(pasts: list[Past]) -> None:
    rare = [each._replace(sums={**each.sums, (2, "renewal-signed"): 1.0}) for each in pasts[:19]]
    names = {weight.name for weight in table(DEFAULT, [*rare, *pasts[19:]]).weights}
    assert "renewal-signed" not in names
    assert "coverage" not in names
    assert "meeting-held" in names


def test_coefficients_of_the_score_alone_propose_what_there_is(pasts: list[Past]) -> None:
    found = table(DEFAULT, pasts)
    same = proposed(DEFAULT, found, [2.0, *(0.0 for _ in found.weights)])
    assert same == DEFAULT


def test_coefficients_move_weights_by_their_share_of_the_scores_own(pasts: list[Past]) -> None:
    found = table(DEFAULT, pasts)
    place = found.weights.index(Weight("kind", "order-placed")) + 1
    coefficients = [0.0] * len(found.spreads)
    coefficients[0] = 0.1 * found.spreads[0]
    coefficients[place] = 0.05 * found.spreads[place]
    card = proposed(DEFAULT, found, coefficients)
    assert card is not None
    assert card.kind_weights["order-placed"] == pytest.approx(1.5 + 0.5)
    assert card.measure_weights == DEFAULT.measure_weights


def test_weights_stay_within_bounds(pasts: list[Past]) -> None:
    found = table(DEFAULT, pasts)
    coefficients = [0.001 * found.spreads[0], *(-1.0 * spread for spread in found.spreads[1:])]
    for sign in (1.0, -1.0):
        card = proposed(DEFAULT, found, [coefficients[0], *(sign * c for c in coefficients[1:])])
        if card is not None:
            assert all(abs(weight) <= LARGEST_WORTH for weight in card.kind_weights.values())
            assert all(0.0 <= weight <= 100.0 for weight in card.measure_weights)


def test_what_hardly_moves_stays_as_it_is_even_beyond_the_bounds(pasts: list[Past]) -> None:
    steep = replace(DEFAULT, kind_weights={**KIND_WEIGHTS, "order-placed": 20.0, "meeting-held": 2.25})
    found = table(steep, pasts)
    coefficients = [found.spreads[0], *(0.04 * spread for spread in found.spreads[1:])]
    assert proposed(steep, found, coefficients) == steep


@pytest.mark.parametrize("own", [0.0, -1.0])
def test_a_score_that_foretells_nothing_is_no_ground_to_step_from(pasts: list[Past], own: float) -> None:
    found = table(DEFAULT, pasts)
    assert proposed(DEFAULT, found, [own, *(1.0 for _ in found.weights)]) is None


def months(*numbers: int) -> list[date]:
    return [date(2026, number, 1) for number in numbers]


def test_what_came_of_the_dates_learnt_from_was_known_before_those_tested_on() -> None:
    assert split(months(4, 5, 6, 7, 8, 9), 90) == (months(4, 5), months(8, 9))
    assert split(months(1, 7), 90) == (months(1), months(7))


def test_dates_within_a_horizon_can_not_be_split() -> None:
    assert split(months(4, 5, 6), 90) == ([], [])
    assert split([date(2026, 1, 1), date(2026, 1, 1) + timedelta(days=90)], 91) == ([], [])
