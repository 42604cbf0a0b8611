"""The conditions of alert rules: what fires, what holds on, what clears. Which alert they make is not decided here.

Pure. Times are UTC epoch seconds. A condition that holds is a `Reason`; a rule is left only past its clear threshold.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, NamedTuple

from scoring_svc.scorecards.rules import DAY, KIND_WEIGHTS

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


@dataclass(frozen=True, slots=True)
class RuleConfig:
    """One rule with a tenant's thresholds. `step` is how much worse it must get to fire again while it holds."""

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


DEFAULT_RULES: Final[Mapping[str, RuleConfig]] = MappingProxyType(
    {
        config.rule: config
        for config in (
            RuleConfig("health-below", "high", 40.0, 45.0, step=5.0, min_confidence=0.15),
            RuleConfig("health-drop", "medium", 15.0, 0.5, window_days=14.0, step=5.0, min_confidence=0.15),
            RuleConfig("evidence-burst", "medium", 3.0, 0.0, kinds=REFUSALS, window_days=7.0, step=1.0),
            RuleConfig("decisive-evidence", "high", 1.0, 0.0, kinds=frozenset(OPPOSITES), window_days=14.0),
            RuleConfig("going-dark", "medium", 2.0, 2.0, step=1.0),
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
    """What rules look at. `peak` is the best confident score of the last days; `marks` newest time per tracked kind."""

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


def tracked_kinds(configs: Mapping[str, RuleConfig]) -> frozenset[str]:
    """Evidence kinds whose newest time must be remembered: decisive ones and their opposites."""
    kinds = configs["decisive-evidence"].kinds
    return kinds | {OPPOSITES[kind] for kind in kinds if kind in OPPOSITES}


def severity_of(config: RuleConfig, facts: Facts, large_value: float = 1_000_000.0) -> str:
    """The rule's severity, one step higher for tier A and one for a large value at stake, at most critical."""
    rank = SEVERITIES.index(config.severity)
    rank += (facts.tier == "A") + (facts.value is not None and facts.value >= large_value)
    return SEVERITIES[min(rank, len(SEVERITIES) - 1)]


def assess(config: RuleConfig, facts: Facts, held: Reason | None, as_of: float) -> Reason | None:
    """The reason as it stands at `as_of`, or None: newly fired, still holding (maybe worse), or cleared."""
    if not config.enabled:
        return None
    reason = _CONDITIONS[config.rule](config, facts, held, as_of)
    if reason is None:
        return None
    severity = severity_of(config, facts)
    return reason if reason.severity == severity else replace(reason, severity=severity)


def _reason(
    config: RuleConfig,
    held: Reason | None,
    as_of: float,
    value: float,
    *,
    worse: bool,
    clear: float | None = None,
    reference: float | None = None,
    since: float | None = None,
) -> Reason | None:
    """A new reason; the held one while it has got no worse; or the held one fired again."""
    if held is not None and not worse:
        return held
    return Reason(
        rule=config.rule,
        since=held.since if held is not None else (as_of if since is None else since),
        severity=held.severity if held is not None else config.severity,
        value=value,
        threshold=config.fire,
        clear_threshold=config.clear if clear is None else clear,
        fired_at=as_of,
        reference=reference,
    )


def _health_below(config: RuleConfig, facts: Facts, held: Reason | None, as_of: float) -> Reason | None:
    if held is None:
        fires = facts.score < config.fire and facts.confidence >= config.min_confidence
        return _reason(config, None, as_of, facts.score, worse=True) if fires else None
    if facts.score >= config.clear:
        return None
    return _reason(config, held, as_of, facts.score, worse=facts.score <= held.value - config.step)


def _health_drop(config: RuleConfig, facts: Facts, held: Reason | None, as_of: float) -> Reason | None:
    """Its value is the points fallen, its reference the peak; it clears at `clear` times the fall."""
    if held is None:
        if facts.peak is None or facts.confidence < config.min_confidence:
            return None
        fall = facts.peak - facts.score
        if fall < config.fire:
            return None
        return _reason(config, None, as_of, fall, worse=True, clear=fall * config.clear, reference=facts.peak)
    fall = (held.reference or 0.0) - facts.score
    if fall <= held.clear_threshold or as_of - held.fired_at >= config.window_days * DAY:
        return None
    worse = fall >= held.value + config.step
    return _reason(config, held, as_of, fall, worse=worse, clear=fall * config.clear, reference=held.reference)


def _burst(config: RuleConfig, facts: Facts, held: Reason | None, as_of: float) -> Reason | None:
    since = as_of - config.window_days * DAY
    if not facts.negatives or facts.negatives[0][0] <= since:
        return None
    kinds = config.kinds
    times = [at for at, kind in facts.negatives if at > since and (not kinds or kind in kinds)]
    if len(times) <= config.clear or (held is None and len(times) < config.fire):
        return None
    newest = max(times)
    worse = held is None or (newest > (held.reference or 0.0) and len(times) >= config.fire)
    return _reason(config, held, as_of, float(len(times)), worse=worse, reference=newest)


def _decisive(config: RuleConfig, facts: Facts, held: Reason | None, as_of: float) -> Reason | None:
    if not facts.marks:
        return None
    standing = [
        facts.marks[kind]
        for kind in config.kinds & facts.marks.keys()
        if facts.marks.get(OPPOSITES.get(kind, ""), -1.0) < facts.marks[kind]
    ]
    if not standing:
        return None
    newest = max(standing)
    past = as_of - newest >= config.window_days * DAY
    if past and (held is None or facts.acknowledged):
        return None
    worse = held is None or newest > (held.reference or 0.0)
    return _reason(config, held, as_of, float(len(standing)), worse=worse, reference=newest)


def _going_dark(config: RuleConfig, facts: Facts, held: Reason | None, as_of: float) -> Reason | None:
    """Its value is silence in cadences; it began at the moment the threshold was passed, not when we looked."""
    if facts.silence_days is None:
        return None
    cadences = facts.silence_days / facts.cadence_days
    if cadences <= (config.fire if held is None else config.clear):
        return None
    since = as_of - (cadences - config.fire) * facts.cadence_days * DAY
    worse = held is None or cadences >= held.value + config.step
    return _reason(config, held, as_of, cadences, worse=worse, since=since)


_CONDITIONS: Final = {
    "health-below": _health_below,
    "health-drop": _health_drop,
    "evidence-burst": _burst,
    "decisive-evidence": _decisive,
    "going-dark": _going_dark,
}


def in_order(config: RuleConfig) -> bool:
    """Whether a rule clears on the other side of what it fires on, so that it can't do both at once."""
    match config.rule:
        case "health-below":
            return config.clear >= config.fire
        case "health-drop":
            return 0.0 < config.clear < 1.0 and config.fire > 0
        case "going-dark":
            return 0.0 < config.clear <= config.fire
        case _:
            return config.clear < config.fire


def rule_thresholds(configs: Mapping[str, RuleConfig], held: Mapping[str, Reason]) -> list[float]:
    """Scores whose crossing, by time alone, can change a rule."""
    below, drop = configs["health-below"], held.get("health-drop")
    thresholds = [below.clear if "health-below" in held else below.fire]
    if drop is not None and drop.reference is not None:
        thresholds.append(drop.reference - drop.clear_threshold)
    return thresholds


def rule_deadlines(
    configs: Mapping[str, RuleConfig], facts: Facts, held: Mapping[str, Reason], as_of: float
) -> list[float]:
    """Instants at which time alone can change a rule: past ones may be among them."""
    instants = []
    if facts.silence_days is not None:
        dark = configs["going-dark"].fire * facts.cadence_days
        instants.append(as_of + (dark - facts.silence_days) * DAY)
    for rule, reason in held.items():
        window = configs[rule].window_days * DAY
        if rule == "health-drop":
            instants.append(reason.fired_at + window)
        elif rule == "evidence-burst":
            kinds = configs[rule].kinds
            instants += [at + window for at, kind in facts.negatives if not kinds or kind in kinds][:1]
        elif rule == "decisive-evidence" and reason.reference is not None:
            instants.append(reason.reference + window)
    return instants
