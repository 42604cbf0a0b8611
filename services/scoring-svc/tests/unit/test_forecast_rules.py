"""When time alone changes something: in closed form or by bisection, never missed, at most a day ahead."""

from hypothesis import given
from hypothesis import strategies as st

from scoring_svc.caps.rules import Cap, cap_until, caps_in_force
from scoring_svc.forecast.rules import next_evaluation, own_deadlines, time_to_risk
from scoring_svc.health.rules import Reported, Standing, measure_values, score_at, weigh
from scoring_svc.ledger.rules import Balances, Piece
from scoring_svc.scorecards.rules import DAY, DEFAULT, KIND_WEIGHTS
from scoring_svc.situation.rules import NOTHING_KNOWN, Situation

NOW = 1_770_000_000.0


@st.composite
def standings(draw: st.DrawFn) -> Standing:
    balances, latest = Balances(NOW), ([], [], [])
    for _ in range(draw(st.integers(0, 12))):
        kind, dimension = draw(st.sampled_from(sorted(KIND_WEIGHTS))), draw(st.integers(0, 2))
        observed = NOW - draw(st.integers(0, 300)) * DAY
        balances.add(Piece("0" * 32, kind, dimension, KIND_WEIGHTS[kind], observed), DEFAULT.half_lives)
        latest[dimension].append(observed)
    silence = draw(st.one_of(st.none(), st.floats(0, 60)))
    reported = Reported(
        draw(st.sampled_from([7.0, 14.0, 30.0])),
        known_since=NOW - draw(st.floats(0, 40)) * DAY,
        last_two_way=None if silence is None else NOW - silence * DAY,
        coverage=draw(st.one_of(st.none(), st.floats(0, 100))),
        coverage_at=NOW - draw(st.floats(0, 100)) * DAY,
    )
    return Standing(balances, [sorted(times, reverse=True)[:3] for times in latest], reported)


@given(standings(), st.sampled_from([37.0, 40.0, 45.0, 67.0, 73.0]))
def test_no_threshold_is_crossed_and_no_measure_comes_or_goes_before_the_next_look(
    standing: Standing, threshold: float
) -> None:
    values = measure_values(DEFAULT, standing, NOW)
    total, present = weigh(DEFAULT, values)
    found = next_evaluation(
        DEFAULT,
        standing,
        values,
        (total / present if present else 50.0, present),
        NOW,
        thresholds=[threshold],
        deadlines=own_deadlines(DEFAULT, standing),
    )
    assert NOW < found <= NOW + DAY
    above = score_at(DEFAULT, standing, NOW) >= threshold
    missing = [value is None for value in values]
    for step in range(20):
        moment = NOW + (found - NOW - 0.003) * step / 19
        if moment > NOW:
            assert above == (score_at(DEFAULT, standing, moment) >= threshold)
            assert missing == [value is None for value in measure_values(DEFAULT, standing, moment)]


def test_a_silent_account_is_told_when_it_will_be_at_risk() -> None:
    standing = Standing(Balances(NOW), reported=Reported(10.0, last_two_way=NOW))
    # 75 until day 10, then 3.75 a day: below 37 (watch's edge less three points) after day 20.13.
    found = time_to_risk(DEFAULT, standing, "watch", NOW)
    assert found is not None
    assert round((found - NOW) / DAY, 2) == 20.13
    assert time_to_risk(DEFAULT, standing, "at-risk", NOW) == NOW


def test_an_account_that_fades_to_neutral_never_gets_there() -> None:
    balances = Balances(NOW)
    balances.add(Piece("0" * 32, "renewal-signed", 2, 6.0, NOW), DEFAULT.half_lives)
    assert time_to_risk(DEFAULT, Standing(balances), "healthy", NOW) is None


CAP = {"renewal-declined": Cap("renewal-declined", 20.0), "champion-gone": Cap("champion-gone", 55.0)}


def test_a_cap_below_the_edge_is_risk_now_and_one_above_it_decides_nothing() -> None:
    standing = Standing(Balances(NOW), reported=Reported(10.0, last_two_way=NOW))
    free = time_to_risk(DEFAULT, standing, "watch", NOW)
    assert time_to_risk(DEFAULT, standing, "watch", NOW, [CAP["champion-gone"]]) == free
    assert time_to_risk(DEFAULT, standing, "watch", NOW, [CAP["renewal-declined"], CAP["champion-gone"]]) == NOW
    for limit, expected in ((39.0, free), (36.9, NOW)):  # watch is left only below its edge less the hysteresis
        assert time_to_risk(DEFAULT, standing, "watch", NOW, [Cap("champion-gone", limit)]) == expected
    assert time_to_risk(DEFAULT, standing, "unknown", NOW, [Cap("champion-gone", 39.0)]) == NOW


@given(standings(), st.floats(0, 400), st.booleans(), st.booleans())
def test_under_caps_that_come_to_an_end_risk_comes_when_looking_every_day_would_find_it(
    standing: Standing, declined_ago: float, gone: bool, veto: bool
) -> None:
    situation = Situation(champions_lost=int(gone), opposing_vetoes=int(veto))
    marks = {"renewal-declined": NOW - declined_ago * DAY}
    edge = DEFAULT.watch_from - DEFAULT.hysteresis

    def shown(at: float) -> float:
        limits = [cap.limit for cap in caps_in_force(DEFAULT, marks, situation, at)]
        return min([score_at(DEFAULT, standing, at), *limits])

    seen = next((NOW + day * DAY for day in range(61) if shown(NOW + day * DAY) < edge), None)
    caps = caps_in_force(DEFAULT, marks, situation, NOW)
    found = time_to_risk(DEFAULT, standing, "watch", NOW, caps, horizon_days=60)
    if seen is None or found is None:
        assert seen is found is None
    else:
        assert seen - DAY <= found <= seen + 0.002


def test_only_a_declined_renewal_stops_to_cap_by_itself() -> None:
    marks = {"renewal-declined": NOW}
    end = cap_until(DEFAULT, marks, CAP["renewal-declined"])
    assert end == NOW + 360 * DAY
    assert caps_in_force(DEFAULT, marks, NOTHING_KNOWN, end) == [CAP["renewal-declined"]]
    assert caps_in_force(DEFAULT, marks, NOTHING_KNOWN, end + 1) == []
    assert cap_until(DEFAULT, marks, CAP["champion-gone"]) is None


def test_risk_that_ends_within_hours_because_a_bad_measure_loses_its_validity_is_found() -> None:
    validity = DEFAULT.coverage_validity_days
    reported = Reported(10.0, last_two_way=NOW - 15.0 * DAY, coverage=0.0, coverage_at=NOW - (validity - 0.3) * DAY)
    standing, edge = Standing(Balances(NOW), reported=reported), DEFAULT.watch_from - DEFAULT.hysteresis
    assert score_at(DEFAULT, standing, NOW) >= edge
    assert score_at(DEFAULT, standing, NOW + 0.3 * DAY) < edge <= score_at(DEFAULT, standing, NOW + 0.31 * DAY)
    found = time_to_risk(DEFAULT, standing, "watch", NOW)
    assert found is not None
    assert NOW < found < NOW + 0.3 * DAY


@given(standings())
def test_risk_comes_when_looking_every_hour_would_find_it(standing: Standing) -> None:
    hour = DAY / 24
    edge = DEFAULT.watch_from - DEFAULT.hysteresis
    hours = range(60 * 24)
    seen = next((h for h in hours if score_at(DEFAULT, standing, NOW + h * hour) < edge), None)
    found = time_to_risk(DEFAULT, standing, "watch", NOW, horizon_days=60)
    if seen is None:
        assert found is None or found > NOW + hours[-1] * hour
    else:
        assert found is not None
        assert NOW + (seen - 1) * hour <= found <= NOW + seen * hour + 0.002
