"""BG/NBD against figures that its authors published, and against clients made by the model itself."""

from random import Random

import pytest

from scoring_svc.bgnbd.rules import Buyer, Model, expected, fitted, hypergeometric, log_likelihood, lowest

# Estimated by the authors from the CDNOW data, in weeks.
CDNOW = Model(0.242594, 4.413602, 0.792919, 2.425881)


def test_what_is_expected_is_what_the_authors_publish() -> None:
    assert expected(CDNOW, Buyer(2, 30.43, 38.86), 39.0) == pytest.approx(1.226, abs=5e-4)


def test_what_is_expected_of_someone_new_is_what_the_mean_of_all_is() -> None:
    # Equation 9 at 39 weeks, with alpha for the time watched.
    r, alpha, a, b = CDNOW
    rest = (alpha / (alpha + 39)) ** r * hypergeometric(r, b, a + b - 1, 39 / (alpha + 39))
    assert expected(CDNOW, Buyer(0, 0.0, 0.0), 39.0) == pytest.approx((a + b - 1) / (a - 1) * (1 - rest))


def test_the_series_is_gausss_function_where_that_has_a_name() -> None:
    assert hypergeometric(1.0, 2.0, 2.0, 0.5) == pytest.approx(2.0)  # (1 - z) ** -1
    assert hypergeometric(3.0, 0.7, 0.7, 0.9) == pytest.approx(1_000.0)  # (1 - z) ** -3


def test_a_client_seen_once_is_likely_as_the_negative_binomial_says() -> None:
    # Without repeats nothing is known of leaving: (alpha / (alpha + T)) ** r.
    assert log_likelihood(Model(2.0, 10.0, 1.0, 1.0), Buyer(0, 0.0, 10.0)) == pytest.approx(-1.3862943611198906)


def test_the_silent_are_expected_to_buy_less() -> None:
    assert expected(CDNOW, Buyer(5, 10.0, 38.0), 13.0) < expected(CDNOW, Buyer(5, 35.0, 38.0), 13.0)


def test_leaving_by_the_even_chance_has_a_limit() -> None:
    even, near = (expected(Model(1.0, 10.0, a, 2.0), Buyer(3, 50.0, 60.0), 30.0) for a in (1.0, 1.001))
    assert even == pytest.approx(near, rel=1e-2)


def made(random: Random, model: Model) -> Buyer:
    rate, leaves = random.gammavariate(model.r, 1 / model.alpha), random.betavariate(model.a, model.b)
    watched = random.uniform(100.0, 400.0)
    at, repeats, last = random.expovariate(rate), 0, 0.0
    while at < watched:
        repeats, last = repeats + 1, at
        if random.random() < leaves:
            break
        at += random.expovariate(rate)
    return Buyer(repeats, last, watched)


def test_the_model_that_made_clients_is_found_again() -> None:
    random, truth = Random(8), Model(1.5, 60.0, 1.2, 4.0)
    buyers = [made(random, truth) for _ in range(1_500)]
    found = fitted(buyers)
    likelihood = [sum(log_likelihood(model, buyer) for buyer in buyers) for model in (found, truth)]
    assert likelihood[0] >= likelihood[1]
    assert found.r == pytest.approx(1.5, rel=0.2)
    assert found.r / found.alpha == pytest.approx(1.5 / 60.0, rel=0.1)
    assert found.a / (found.a + found.b) == pytest.approx(1.2 / 5.2, rel=0.2)


def test_the_simplex_finds_the_bottom_of_a_bent_valley() -> None:
    # Rosenbrock's function, lowest at (1, 1).
    found = lowest(lambda p: (1 - p[0]) ** 2 + 100 * (p[1] - p[0] ** 2) ** 2, [-1.2, 1.0])
    assert found == pytest.approx([1.0, 1.0], abs=0.05)
