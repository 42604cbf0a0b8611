"""What puts an account in jeopardy, and how sure a bet on a person is. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

WINDOWS = (30, 90, 365)
"""Days over which balances are kept: whole UTC days up to and with today."""
JUDGED = 90
"""The window that jeopardy is judged by."""

CADENCES: Mapping[str, float] = {"A": 7, "B": 14, "C": 30}
"""Days between contacts expected of a tier where the account has no cadence of its own; of others 30."""
DEFAULT_CADENCE = 30.0

SILENT = 1.5
"""Times the cadence without two-way contact that count as going silent."""
FALL = 5.0
"""By how much a balance has to fall below that of the window before, and below half of it."""
UNRETURNED = 2
"""Unreturned asks, and more than the returned ones, that count."""

DEFAULT_K = 10.0
"""Accounts' worth of the overall mean that a bet is shrunk by."""


@dataclass(frozen=True, slots=True)
class KindSum:
    """How often a kind of evidence was seen, and what it added to the balance."""

    kind: str
    n: int
    total: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """An account over the last 90 days.

    ``earlier`` is the balance of the 90 days before, ``overall`` the mean of all accounts (None: not known yet),
    ``silent_days`` the time since the client last took part in a contact (None: it never did).
    """

    balance: float
    earlier: float = 0.0
    overall: float | None = None
    kinds: Sequence[KindSum] = ()
    silent_days: float | None = None
    cadence_days: float | None = None
    tier: str | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an account is in jeopardy: a value, against what it is too low or too high, and the evidence behind it.

    ``points``, 0 to 1, are what it adds to the order of the list; they are no probability.
    """

    reason: str
    value: float
    against: float
    compared_with: str
    points: float
    kinds: Sequence[KindSum] = ()


def jeopardy(facts: Facts) -> list[Reason]:
    """What puts an account in jeopardy, the gravest first; nothing for one that does well."""
    found = [_negative(facts), _falling(facts), _silent(facts), _unreturned(facts)]
    return sorted((reason for reason in found if reason), key=lambda reason: (-reason.points, reason.reason))


def _negative(facts: Facts) -> Reason | None:
    if facts.balance >= 0:
        return None
    against, said = (0.0, "nothing at all") if facts.overall is None else (facts.overall, "the mean of all accounts")
    return Reason("negative-balance", facts.balance, against, said, min(1.0, -facts.balance / 10), _worst(facts))


def _falling(facts: Facts) -> Reason | None:
    fall = facts.earlier - facts.balance
    if fall < FALL or facts.balance > facts.earlier / 2:
        return None
    return Reason(
        "falling-balance", facts.balance, facts.earlier, "its 90 days before", min(1.0, fall / 10), _worst(facts)
    )


def _silent(facts: Facts) -> Reason | None:
    cadence = facts.cadence_days or CADENCES.get(facts.tier or "", DEFAULT_CADENCE)
    if facts.silent_days is None or facts.silent_days <= SILENT * cadence:
        return None
    return Reason(
        "silent", facts.silent_days, cadence, "its expected cadence in days", min(1.0, facts.silent_days / cadence / 4)
    )


def _unreturned(facts: Facts) -> Reason | None:
    lost = [kind for kind in facts.kinds if kind.kind.endswith("-unreturned")]
    unreturned = sum(kind.n for kind in lost)
    returned = sum(kind.n for kind in facts.kinds if kind.kind.endswith("-returned"))
    if unreturned < UNRETURNED or unreturned <= returned:
        return None
    points = unreturned / (unreturned + returned) * min(1.0, unreturned / 4)
    return Reason("unreturned-asks", unreturned, returned, "its returned asks", points, tuple(lost))


def _worst(facts: Facts) -> tuple[KindSum, ...]:
    return tuple(sorted((kind for kind in facts.kinds if kind.total < 0), key=lambda kind: kind.total)[:3])


# Student's t, 97.5 %, for 1 to 30 degrees of freedom; beyond, the expansion below is exact to three decimals.
_T = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228),
    *(2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086),
    *(2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042),
)
_Z = 1.959964


def t_quantile(freedom: int) -> float:
    """The 97.5 % quantile of Student's t (Cornish-Fisher expansion beyond 30 degrees of freedom)."""
    if freedom <= len(_T):
        return _T[freedom - 1]
    return _Z + (_Z**3 + _Z) / (4 * freedom) + (5 * _Z**5 + 16 * _Z**3 + 3 * _Z) / (96 * freedom**2)


def interval(n: int, mean: float, deviation: float | None) -> tuple[float, float] | None:
    """The 95 % interval of the mean of n values by Student's t; None for fewer than two."""
    if n < 2 or deviation is None:
        return None
    reach = t_quantile(n - 1) * deviation / sqrt(n)
    return mean - reach, mean + reach


def lifts(kinds: Sequence[KindSum], n: int, every: Sequence[KindSum], n_every: int) -> list[tuple[str, float, float]]:
    """The three kinds that lift n accounts most above all: kind, its balance per account, and that of all."""
    overall = {kind.kind: kind.total / n_every for kind in every}
    found = [(kind.kind, kind.total / n, overall.get(kind.kind, 0.0)) for kind in kinds]
    gaps = [entry for entry in found if entry[1] > entry[2]]
    return sorted(gaps, key=lambda entry: (entry[2] - entry[1], entry[0]))[:3]
