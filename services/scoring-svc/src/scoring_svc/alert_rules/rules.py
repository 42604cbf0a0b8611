"""Alert rules as data: what each goes by, its documented defaults, and which settings make sense. Pure.

When a rule fires, holds and clears is `conditions`; which alert the rules that hold make is `alerts`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NamedTuple
from uuid import UUID

from scoring_svc.scorecards.rules import KIND_WEIGHTS
from scoring_svc.situation.rules import NOTHING_KNOWN, Situation

SEVERITIES: Final = ("low", "medium", "high", "critical")
# Refusals: what a client says no to. Calls and e-mails without an answer are left out by default, because their
# number points the wrong way (domain.md S3: busy relationships leave more unanswered); they count in responsiveness.
REFUSALS: Final = frozenset(
    kind
    for kind, weight in KIND_WEIGHTS.items()
    if weight < 0 and kind not in {"call-unreturned", "email-unreturned", "meeting-unanswered"}
)
OPPOSITES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "renewal-declined": "renewal-signed",
        "not-invited": "invited-early",
        "complaint-escalated": "complaint-resolved",
    }
)
RENEWED: Final = "renewal-signed"
LONGEST_WINDOWS: Final[Mapping[str, float]] = MappingProxyType(
    # In days: as far as what is remembered of an account reaches.
    {"health-drop": 14.0, "evidence-burst": 14.0, "decisive-evidence": 14.0, "pattern-break": 60.0}
)
LONGEST_WINDOW: Final = 365.0


@dataclass(frozen=True, slots=True)
class RuleConfig:
    """One rule with a tenant's thresholds. `step` is how much worse it must get to fire again while it holds.

    `tiers`, `industries` and `territories` are the accounts it is for: of one of each (empty: of any). `channels` are
    told of its alerts besides those of routes.
    """

    rule: str
    severity: str
    fire: float
    clear: float
    kinds: frozenset[str] = frozenset()
    window_days: float = 0.0
    step: float = 0.0
    min_confidence: float = 0.0
    hold_hours: float = 0.0
    cool_down_hours: float = 24.0
    alert_kind: str = "at-risk"
    enabled: bool = True
    min_pieces: float = 0.0
    min_whitespace: float = 0.0
    min_mind: float = 0.0
    tiers: frozenset[str] = frozenset()
    industries: frozenset[str] = frozenset()
    territories: frozenset[str] = frozenset()
    channels: frozenset[UUID] = frozenset()


DEFAULT_RULES: Final[Mapping[str, RuleConfig]] = MappingProxyType(
    {
        config.rule: config
        for config in (
            RuleConfig("health-below", "high", 40.0, 45.0, step=5.0, min_confidence=0.15),
            RuleConfig("health-drop", "medium", 15.0, 0.5, window_days=14.0, step=5.0, min_confidence=0.15),
            RuleConfig("evidence-burst", "medium", 3.0, 0.0, kinds=REFUSALS, window_days=7.0, step=1.0),
            RuleConfig("decisive-evidence", "high", 1.0, 0.0, kinds=frozenset(OPPOSITES), window_days=14.0),
            RuleConfig("going-dark", "medium", 2.0, 2.0, step=1.0),
            RuleConfig("pattern-break", "medium", 0.01, 0.1, window_days=30.0, min_pieces=4.0),
            RuleConfig("renewal-risk", "high", 60.0, 65.0, window_days=90.0, step=5.0, min_confidence=0.15),
            RuleConfig("champion-lost", "high", 1.0, 0.0, step=1.0),
            RuleConfig("detractor-with-veto", "high", 1.0, 0.0, step=1.0),
            # Who is met first is alone for a while: only what lasts two weeks is worth a word.
            RuleConfig("single-threaded", "low", 80.0, 60.0, step=20.0, hold_hours=336.0),
            RuleConfig("plan-slipping", "medium", 2.0, 0.0, window_days=7.0, step=1.0, alert_kind="plan"),
            RuleConfig(
                "growth-opportunity",
                "low",
                80.0,
                75.0,
                step=10.0,
                min_confidence=0.15,
                alert_kind="growth",
                min_whitespace=100_000.0,
                min_mind=70.0,
            ),
        )
    }
)


@dataclass(frozen=True, slots=True)
class Reason:
    """A rule that holds. `reference` is what it measures against (the peak fallen from, the decisive moment)."""

    rule: str
    since: float
    severity: str
    value: float
    threshold: float
    clear_threshold: float
    fired_at: float
    reference: float | None = None


class Facts(NamedTuple):
    """What rules look at. `peak` is the best confident score of the last days; `marks` newest time per tracked kind.

    `tally` has negative pieces and all pieces per day, `change` the points won in seven days, `mind` that dimension.
    """

    score: float
    confidence: float
    peak: float | None = None
    silence_days: float | None = None
    cadence_days: float = 30.0
    negatives: Sequence[tuple[float, str]] = ()
    marks: Mapping[str, float] = MappingProxyType({})
    tier: str | None = None
    value: float | None = None
    acknowledged: bool = False
    tally: Mapping[int, Sequence[int]] = MappingProxyType({})
    change: float = 0.0
    mind: float | None = None
    renewal_at: float | None = None
    situation: Situation = NOTHING_KNOWN
    industry: str | None = None
    territory: str | None = None


def is_for(config: RuleConfig, facts: Facts) -> bool:
    """Whether the rule is for an account of this tier, industry and territory."""
    return (
        (not config.tiers or facts.tier in config.tiers)
        and (not config.industries or facts.industry in config.industries)
        and (not config.territories or facts.territory in config.territories)
    )


def tracked_kinds(configs: Mapping[str, RuleConfig]) -> frozenset[str]:
    """Evidence kinds whose newest time must be remembered: decisive ones, their opposites, and signed renewals."""
    kinds = configs["decisive-evidence"].kinds
    return kinds | {OPPOSITES[kind] for kind in kinds if kind in OPPOSITES} | {RENEWED}


def severity_of(config: RuleConfig, facts: Facts, large_value: float = 1_000_000.0) -> str:
    """The rule's severity, one step higher for tier A and one for a large value at stake, at most critical."""
    rank = SEVERITIES.index(config.severity)
    rank += (facts.tier == "A") + (facts.value is not None and facts.value >= large_value)
    return SEVERITIES[min(rank, len(SEVERITIES) - 1)]


def by_alert_kind(configs: Mapping[str, RuleConfig]) -> dict[str, dict[str, RuleConfig]]:
    """The rules of each kind of alert, in their order."""
    found: dict[str, dict[str, RuleConfig]] = {}
    for rule, config in configs.items():
        found.setdefault(config.alert_kind, {})[rule] = config
    return found


def in_order(config: RuleConfig) -> bool:
    """Whether a rule clears on the other side of what it fires on, so that it can't do both at once."""
    match config.rule:
        case "health-below" | "renewal-risk":
            return config.clear >= config.fire
        case "pattern-break":
            return 0.0 < config.fire <= config.clear < 1.0
        case "health-drop":
            return 0.0 < config.clear < 1.0 and config.fire > 0
        case "going-dark":
            return 0.0 < config.clear <= config.fire
        case _:
            return config.clear < config.fire


def window_in_reach(config: RuleConfig) -> bool:
    """Whether what is remembered of an account reaches as far back as the rule looks."""
    return config.window_days <= LONGEST_WINDOWS.get(config.rule, LONGEST_WINDOW)
