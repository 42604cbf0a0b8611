"""The BG/NBD model of repeat buying (Fader, Hardie and Lee 2005), fitted by maximum likelihood. Pure; times in days.

While a client is alive it buys at a steady rate of its own; after each purchase it may be gone for ever.
"""

from collections.abc import Callable, Sequence
from math import exp, inf, lgamma, log
from typing import Final, NamedTuple

STEPS: Final = 600
CLOSE: Final = 1e-6
LARGEST: Final = 12.0
"""Parameters are sought between e to the minus this and e to this."""

Point = list[float]


class Buyer(NamedTuple):
    """Purchases after the first, when the last of them was, and for how long it was watched, since the first."""

    repeats: int
    last: float
    watched: float


class Model(NamedTuple):
    """Shape and rate of buying among clients, and the two shapes of leaving; all above 0."""

    r: float
    alpha: float
    a: float
    b: float


def log_likelihood(model: Model, buyer: Buyer) -> float:
    """Equation 6 of the paper, for one client, as a logarithm."""
    r, alpha, a, b = model
    x, last, watched = buyer
    common = lgamma(r + x) - lgamma(r) + r * log(alpha) + lgamma(a + b) - lgamma(b)
    common += lgamma(b + x) - lgamma(a + b + x)
    alive = -(r + x) * log(alpha + watched)
    if x == 0:
        return common + alive
    gone = log(a) - log(b + x - 1) - (r + x) * log(alpha + last)
    top = max(alive, gone)
    return common + top + log(exp(alive - top) + exp(gone - top))


def fitted(buyers: Sequence[Buyer]) -> Model:
    """The model under which what these clients bought is likeliest; needs one buyer at least."""
    scale = max(1.0, sum(buyer.watched for buyer in buyers) / len(buyers))

    def cost(point: Point) -> float:
        if max(map(abs, point)) > LARGEST:
            return inf
        r, alpha, a, b = map(exp, point)
        model = Model(r, alpha * scale, a, b)
        return -sum(log_likelihood(model, buyer) for buyer in buyers) / len(buyers)

    r, alpha, a, b = map(exp, lowest(cost, [0.0, 0.0, 0.0, 0.0]))
    return Model(r, alpha * scale, a, b)


def expected(model: Model, buyer: Buyer, days: float) -> float:
    """Purchases to be expected within the next days: equation 10 of the paper, `a` kept off 1 where it has none."""
    r, alpha, a, b = model
    x, last, watched = buyer
    if abs(a - 1.0) < 1e-6:
        a = 1.0 + 1e-6
    until = alpha + watched + days
    rest = exp((r + x) * log((alpha + watched) / until))
    rest *= hypergeometric(r + x, b + x, a + b + x - 1, days / until)
    bought = (a + b + x - 1) / (a - 1) * (1.0 - rest)
    if x == 0:
        return bought
    return bought / (1.0 + a / (b + x - 1) * exp((r + x) * log((alpha + watched) / (alpha + last))))


def hypergeometric(a: float, b: float, c: float, z: float) -> float:
    """Gauss's 2F1 by its series, for 0 <= z < 1, positive a and b, and c that is no whole number below 1."""
    total = term = 1.0
    n = 0
    while abs(term) > 1e-12 * abs(total):
        term *= (a + n) * (b + n) / ((c + n) * (n + 1)) * z
        total += term
        n += 1
    return total


def lowest(cost: Callable[[Point], float], start: Point) -> Point:
    """Where a function is lowest near a start, by the simplex of Nelder and Mead (1965)."""
    corners = [(cost(start), start)]
    for index in range(len(start)):
        moved = [value + (i == index) for i, value in enumerate(start)]
        corners.append((cost(moved), moved))
    for _ in range(STEPS):
        corners.sort()
        if corners[-1][0] - corners[0][0] < CLOSE:
            break
        _improve(cost, corners)
    return min(corners)[1]


def _improve(cost: Callable[[Point], float], corners: list[tuple[float, Point]]) -> None:
    """Move the worst corner of a sorted simplex, or all towards the best, in place."""
    worst_cost, worst = corners[-1]
    centre = [sum(values) / len(worst) for values in zip(*(point for _, point in corners[:-1]), strict=True)]

    def tried(factor: float) -> tuple[float, Point]:
        point = [c + factor * (w - c) for c, w in zip(centre, worst, strict=True)]
        return cost(point), point

    reflected = tried(-1.0)
    if reflected[0] < corners[0][0]:
        corners[-1] = min(reflected, tried(-2.0))
        return
    if reflected[0] < corners[-2][0]:
        corners[-1] = reflected
        return
    contracted = tried(-0.5 if reflected[0] < worst_cost else 0.5)
    if contracted[0] < min(reflected[0], worst_cost):
        corners[-1] = contracted
        return
    best = corners[0][1]
    for index, (_, point) in enumerate(corners[1:], 1):
        shrunk = [(b + p) / 2 for b, p in zip(best, point, strict=True)]
        corners[index] = cost(shrunk), shrunk
