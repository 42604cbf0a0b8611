"""The scorecard as data: weights, half-lives, measures, bands, and whom it is for. No arithmetic on accounts here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any, Final

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
_SAID: Final = tuple(f.name for f in fields(Scorecard) if f.init and f.name not in ("name", "version"))


def card_of(name: str, version: int, configuration: Mapping[str, Any]) -> Scorecard:
    """The scorecard that a stored configuration stands for: the documented defaults with its differences."""
    said: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in configuration.items()
    }
    weights = {**KIND_WEIGHTS, **configuration.get("kind_weights", {})}
    return Scorecard(**{**said, "name": name, "version": version, "kind_weights": weights})


def configuration_of(card: Scorecard) -> dict[str, Any]:
    """What of a scorecard differs from the documented defaults, by field; `card_of` gives the scorecard back."""
    said: dict[str, Any] = {
        name: list(value) if isinstance(value, tuple) else value
        for name in _SAID
        if name != "kind_weights" and (value := getattr(card, name)) != getattr(DEFAULT, name)
    }
    weights = {kind: worth for kind, worth in card.kind_weights.items() if KIND_WEIGHTS.get(kind) != worth}
    return {**said, "kind_weights": weights} if weights else said


def described(card: Scorecard) -> dict[str, Any]:
    """The scorecard as it is said to people: grouped, by name; half-lives, validities and cadences in days."""
    lives = (*card.half_life_days, card.responsiveness_half_life_days)
    return {
        "name": card.name,
        "version": card.version,
        "kind_weights": {kind: worth for kind, worth in card.kind_weights.items() if kind in KIND_WEIGHTS},
        "custom_kinds": {kind: worth for kind, worth in card.kind_weights.items() if kind not in KIND_WEIGHTS},
        "half_life_days": dict(zip((*DIMENSIONS, "responsiveness"), lives, strict=True)),
        "scale": card.scale,
        "measure_weights": dict(zip(MEASURES, card.measure_weights, strict=True)),
        "validity_days": {
            "coverage": card.coverage_validity_days,
            "satisfaction": card.satisfaction_validity_days,
            "plan": card.plan_validity_days,
        },
        "caps": {
            "renewal_declined": card.cap_renewal_declined,
            "champion_gone": card.cap_champion_gone,
            "veto_holder_detractor": card.cap_veto_holder_detractor,
        },
        "bands": {
            "healthy_from": card.healthy_from,
            "watch_from": card.watch_from,
            "hysteresis": card.hysteresis,
            "min_confidence": card.min_confidence,
        },
        "engaged": card.engaged,
        "enough_evidence": card.enough_evidence,
        "cadence_days": dict(CADENCE_DAYS),
    }


@dataclass(frozen=True, slots=True)
class Segment:
    """Which accounts a scorecard is for: of one of the tiers, industries and territories; none named: of any."""

    tiers: frozenset[str] = frozenset()
    industries: frozenset[str] = frozenset()
    territories: frozenset[str] = frozenset()

    def holds(self, tier: str | None, industry: str | None, territory: str | None) -> bool:
        """Whether such an account belongs to it."""
        return (
            (not self.tiers or tier in self.tiers)
            and (not self.industries or industry in self.industries)
            and (not self.territories or territory in self.territories)
        )

    def overlaps(self, other: "Segment") -> bool:
        """Whether an account could belong to both."""
        ours = (self.tiers, self.industries, self.territories)
        theirs = (other.tiers, other.industries, other.territories)
        return all(not a or not b or a & b for a, b in zip(ours, theirs, strict=True))

    @property
    def everybody(self) -> bool:
        """Whether it leaves nobody out."""
        return not (self.tiers or self.industries or self.territories)


@dataclass(frozen=True, slots=True)
class Cards:
    """The scorecards in force for a tenant: one for segments, each its own, and one for all other accounts."""

    default: Scorecard = DEFAULT
    segments: Sequence[tuple[Segment, Scorecard]] = ()

    def of(self, tier: str | None, industry: str | None, territory: str | None) -> Scorecard:
        """The scorecard of such an account."""
        for segment, card in self.segments:
            if segment.holds(tier, industry, territory):
                return card
        return self.default

    def overlapping(self, name: str, segment: Segment) -> Scorecard | None:
        """A scorecard of another name that is for some of the same accounts, if there is one."""
        return next((card for other, card in self.segments if card.name != name and other.overlaps(segment)), None)

    def replaced(self, segment: Segment, card: Scorecard) -> "Cards":
        """What would be in force with this scorecard in the place of that of its name."""
        if segment.everybody:
            return Cards(card, self.segments)
        others = [entry for entry in self.segments if entry[1].name != card.name]
        return Cards(self.default, (*others, (segment, card)))

    @property
    def kinds(self) -> frozenset[str]:
        """Every kind of evidence that one of them knows."""
        return frozenset().union(self.default.kind_weights, *(card.kind_weights for _, card in self.segments))


CADENCE_DAYS: Final[Mapping[str, float]] = MappingProxyType({"A": 7.0, "B": 14.0, "C": 30.0})


def cadence_days(tier: str | None, own: float | None) -> float:
    """The rhythm in days at which contact is expected: the account's own, or its tier's (A 7, B 14, C 30)."""
    if own is not None and own > 0:
        return own
    return CADENCE_DAYS.get(tier or "", UNTIERED_CADENCE_DAYS)
