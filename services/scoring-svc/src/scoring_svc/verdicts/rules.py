"""How often a rule is wrong, and how sure that is. Pure."""

from math import sqrt
from typing import Final, NamedTuple

Z_95: Final = 1.959963984540054


class Rate(NamedTuple):
    """A share of n (None while n is 0) with its 95 % interval; 0 to 1."""

    n: int
    share: float | None
    low: float
    high: float


def rate(count: int, n: int) -> Rate:
    """`count` of `n` with the interval of Wilson (1927), which holds for small n and shares near 0 or 1."""
    if n == 0:
        return Rate(0, None, 0.0, 1.0)
    share, z2 = count / n, Z_95 * Z_95
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z_95 / (1 + z2 / n) * sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return Rate(n, share, max(0.0, centre - half), min(1.0, centre + half))
