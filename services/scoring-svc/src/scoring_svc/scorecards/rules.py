"""The scorecard as data: weights, half-lives, measures, bands. No arithmetic on accounts here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

DAY: Final = 86_400.0
DIMENSIONS: Final = ("heart", "mind", "wallet")
MEASURES: Final = (
    "heart",
    "mind",
    "wallet",
    "engagement",
    "coverage",
    "responsiveness",
    "satisfaction",
    "plan",
)
UNTIERED_CADENCE_DAYS: Final = 30.0

# Worth of one piece of evidence of magnitude 1 at the moment it is observed (domain.md S2).
KIND_WEIGHTS: Final[Mapping[str, float]] = MappingProxyType(
    {
        "meeting-accepted": 0.5,
        "meeting-held": 2.0,
        "meeting-declined": -3.0,
        "meeting-no-show": -3.0,
        "meeting-cancelled-by-client": -2.0,
        "meeting-unanswered": -1.0,
        "call-returned": 1.0,
        "email-returned": 1.0,
        "client-contacted": 0.5,
        "call-unreturned": -2.0,
        "email-unreturned": -0.5,
        "introduction-unsolicited": 5.0,
        "introduction-solicited": 3.0,
        "introduction-refused": -3.0,
        "advice-sought": 4.0,
        "advice-ignored": -2.0,
        "invited-early": 4.0,
        "invited-late": -3.0,
        "not-invited": -5.0,
        "inside-information-shared": 4.0,
        "inside-information-withheld": -4.0,
        "scope-expanded": 4.0,
        "scope-reduced": -4.0,
        "order-placed": 1.5,
        "buying-accelerated": 1.0,
        "buying-decelerated": -1.0,
        "renewal-signed": 6.0,
        "renewal-declined": -8.0,
        "payment-late": -1.0,
        "complaint-raised": -2.0,
        "complaint-escalated": -4.0,
        "complaint-resolved": 1.0,
        "reference-given": 4.0,
    }
)
RETURNED: Final = frozenset({"call-returned", "email-returned"})
UNRETURNED: Final = frozenset({"call-unreturned", "email-unreturned"})


@dataclass(frozen=True, slots=True)
class Scorecard:
    """One version of what things are worth. Half-lives and validities in days, weights and bands in points.

    The measure weights are relative; only the weights of measures that have a valid value count.
    """

    name: str = "default"
    version: int = 1
    kind_weights: Mapping[str, float] = field(default_factory=lambda: KIND_WEIGHTS)
    half_life_days: tuple[float, float, float] = (60.0, 120.0, 180.0)
    responsiveness_half_life_days: float = 60.0
    scale: float = 6.0
    measure_weights: tuple[float, ...] = (20.0, 15.0, 20.0, 20.0, 10.0, 5.0, 5.0, 5.0)
    coverage_validity_days: float = 90.0
    satisfaction_validity_days: float = 180.0
    plan_validity_days: float = 60.0
    engaged: float = 75.0
    enough_evidence: int = 3
    healthy_from: float = 70.0
    watch_from: float = 40.0
    hysteresis: float = 3.0
    min_confidence: float = 0.15
    cap_renewal_declined: float = 20.0
    cap_champion_gone: float = 55.0
    cap_veto_holder_detractor: float = 60.0

    half_lives: tuple[float, ...] = field(init=False)
    """In seconds, of the five running sums: heart, mind, wallet, returned, unreturned."""
    daily_loss: tuple[float, ...] = field(init=False)
    """The part of each running sum that a day takes."""
    total_weight: float = field(init=False)

    def __post_init__(self) -> None:
        days = (*self.half_life_days, self.responsiveness_half_life_days, self.responsiveness_half_life_days)
        # Derived once, because every account of every batch asks for them.
        object.__setattr__(self, "half_lives", tuple(day * DAY for day in days))
        object.__setattr__(self, "daily_loss", tuple(1.0 - 2.0 ** (-1.0 / day) for day in days))
        object.__setattr__(self, "total_weight", sum(self.measure_weights))


DEFAULT: Final = Scorecard()
CADENCE_DAYS: Final[Mapping[str, float]] = MappingProxyType({"A": 7.0, "B": 14.0, "C": 30.0})


def cadence_days(tier: str | None, own: float | None) -> float:
    """The rhythm in days at which contact is expected: the account's own, or its tier's (A 7, B 14, C 30)."""
    if own is not None and own > 0:
        return own
    return CADENCE_DAYS.get(tier or "", UNTIERED_CADENCE_DAYS)
