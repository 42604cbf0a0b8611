"""Accounts at past dates: what was seen then, and nothing that came later."""

import pytest

from scoring_svc.bgnbd.rules import Buyer
from scoring_svc.health.rules import dimension_score
from scoring_svc.retrospect.rules import ACTS, Seen, look
from scoring_svc.scorecards.rules import DAY, DEFAULT, KIND_WEIGHTS

NOON = 15_000.5 * DAY


def order(day: float, kind: str = "order-placed") -> Seen:
    return Seen(kind, 2, 1.0, NOON + day * DAY)


def test_a_score_of_the_past_is_the_weighted_mean_of_wallet_and_engagement() -> None:
    seen = look(DEFAULT, [order(0)], NOON + 60 * DAY, 30.0)
    assert seen is not None
    wallet = dimension_score(1.5 * 2 ** (-60 / 180), 6.0)
    assert seen.score == pytest.approx((20 * wallet + 20 * 75 / 2) / 40)
    assert (seen.acts, seen.silence) == (1, 60.0)


def test_what_comes_later_or_at_that_very_moment_is_not_seen() -> None:
    past = [order(0), order(10)]
    at = NOON + 30 * DAY
    assert look(DEFAULT, [*past, order(30), order(31)], at, 30.0) == look(DEFAULT, past, at, 30.0)


def test_an_account_of_which_no_act_was_seen_is_not_looked_at() -> None:
    assert look(DEFAULT, [order(5)], NOON, 30.0) is None
    assert look(DEFAULT, [order(0, "buying-decelerated")], NOON + 9 * DAY, 30.0) is None
    assert look(DEFAULT, [], NOON, 30.0) is None


def test_judgements_change_the_score_and_are_no_acts() -> None:
    at = NOON + 40 * DAY
    plain = look(DEFAULT, [order(0)], at, 30.0)
    judged = look(DEFAULT, [order(0), order(35, "buying-decelerated")], at, 30.0)
    assert plain is not None
    assert judged is not None
    assert judged.score < plain.score
    assert (judged.acts, judged.silence, judged.buyer) == (plain.acts, plain.silence, plain.buyer)


def test_the_decayed_magnitudes_of_kinds_are_what_balances_are_made_of() -> None:
    history = [order(0), order(30), order(35, "buying-decelerated"), order(36, "smoke-signal")]
    seen = look(DEFAULT, history, NOON + 40 * DAY, 30.0)
    assert seen is not None
    assert seen.sums == pytest.approx(
        {(2, "order-placed"): 2 ** (-40 / 180) + 2 ** (-10 / 180), (2, "buying-decelerated"): 2 ** (-5 / 180)}
    )
    balance = sum(KIND_WEIGHTS[kind] * amount for (_, kind), amount in seen.sums.items())
    assert seen.measures[2] == pytest.approx(dimension_score(balance, 6.0))
    assert seen.measures[3] == 75.0


def test_a_declined_renewal_caps_the_score_until_one_is_signed() -> None:
    history = [order(0), order(1), order(2, "renewal-declined"), order(20, "renewal-signed")]
    seen = [look(DEFAULT, history, NOON + day * DAY, 30.0) for day in (1.5, 10, 30)]
    assert [found and found.cap for found in seen] == [None, 20.0, None]
    assert [found is not None and found.score == 20.0 for found in seen] == [False, True, False]


def test_only_acts_of_the_kinds_asked_for_are_counted_and_all_are_contact() -> None:
    history = [order(0), Seen("meeting-held", 0, 1.0, NOON + 20 * DAY)]
    seen = look(DEFAULT, history, NOON + 30 * DAY, 7.0, {"order-placed"})
    assert seen is not None
    assert (seen.acts, seen.silence) == (1, 30.0)
    assert seen.measures[3] == pytest.approx(75 * (3 * 7 - 10) / 14)


def test_purchases_of_a_day_are_one() -> None:
    seen = look(DEFAULT, [order(0), order(0.1), order(20), order(50)], NOON + 60 * DAY, 30.0)
    assert seen is not None
    assert seen.acts == 4
    assert seen.buyer == Buyer(2, 50.0, 60.5)


def test_who_never_bought_is_no_buyer() -> None:
    seen = look(DEFAULT, [Seen("meeting-held", 0, 1.0, NOON)], NOON + DAY, 30.0)
    assert seen is not None
    assert seen.buyer is None


def test_every_act_is_a_kind_that_scorecards_know_and_count_as_good() -> None:
    assert all(KIND_WEIGHTS[kind] > 0 for kind in ACTS)
