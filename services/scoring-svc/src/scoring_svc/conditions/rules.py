"""The conditions of alert rules: what fires, what holds on, what clears. Which alert they make is not decided here.

Pure. Times are UTC epoch seconds. A condition that holds is a `Reason`; a rule is left only past its clear threshold.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from scoring_svc.alert_rules.rules import OPPOSITES, RENEWED, Facts, Reason, RuleConfig, is_for, severity_of
from scoring_svc.patterns.rules import chance, recent_pieces, shares
from scoring_svc.scorecards.rules import DAY

_BY_SCORE: Final = ("health-below", "renewal-risk", "growth-opportunity")


def assess(config: RuleConfig, facts: Facts, held: Reason | None, as_of: float) -> Reason | None:
    """The reason as it stands at `as_of`, or None: newly fired, still holding (maybe worse), or cleared."""
    if not config.enabled or not is_for(config, facts):
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


def _pattern_break(config: RuleConfig, facts: Facts, held: Reason | None, as_of: float) -> Reason | None:
    """Its value is the probability of so many negatives by chance: the smaller, the clearer the break."""
    if not facts.negatives or facts.negatives[0][0] <= as_of - (config.window_days + 1) * DAY:
        return None
    found = shares(facts.tally, int(as_of // DAY), int(config.window_days))
    p = chance(found)
    if held is None and (p >= config.fire or found.recent < config.min_pieces):
        return None
    if p > config.clear:
        return None
    return _reason(config, held, as_of, p, worse=held is None)


def _renewal_risk(config: RuleConfig, facts: Facts, held: Reason | None, as_of: float) -> Reason | None:
    """Its value is the score, its reference the date of renewal; a date that has passed unsigned is no relief."""
    if facts.renewal_at is None or as_of < facts.renewal_at - config.window_days * DAY:
        return None
    if facts.marks.get(RENEWED, float("-inf")) > facts.renewal_at - config.window_days * DAY:
        return None
    if held is None:
        fires = facts.score < config.fire and facts.confidence >= config.min_confidence and as_of <= facts.renewal_at
        return _reason(config, None, as_of, facts.score, worse=True, reference=facts.renewal_at) if fires else None
    if facts.score >= config.clear:
        return None
    worse = facts.score <= held.value - config.step
    return _reason(config, held, as_of, facts.score, worse=worse, reference=facts.renewal_at)


def _champion_lost(config: RuleConfig, facts: Facts, held: Reason | None, as_of: float) -> Reason | None:
    lost = facts.situation.champions_lost if facts.situation.champion_gone else 0
    return _above(config, held, as_of, float(lost))


def _detractor_with_veto(config: RuleConfig, facts: Facts, held: Reason | None, as_of: float) -> Reason | None:
    return _above(config, held, as_of, float(facts.situation.opposing_vetoes))


def _single_threaded(config: RuleConfig, facts: Facts, held: Reason | None, as_of: float) -> Reason | None:
    return _above(config, held, as_of, facts.situation.thread_share or 0.0)


def _plan_slipping(config: RuleConfig, facts: Facts, held: Reason | None, as_of: float) -> Reason | None:
    """Its value is the number of actions late for longer than the window; it holds while enough are late at all."""
    late = facts.situation.overdue
    long = float(sum(1 for since in late if as_of - since > config.window_days * DAY))
    if held is None:
        return _above(config, None, as_of, long)
    if len(late) <= config.clear:
        return None
    return _reason(config, held, as_of, long, worse=long >= held.value + max(config.step, 1.0))


def _growth_opportunity(config: RuleConfig, facts: Facts, held: Reason | None, as_of: float) -> Reason | None:
    """Its value is the score. Whitespace is worth a word only where the client thinks with us."""
    open_to_us = facts.mind is not None and facts.mind >= config.min_mind
    room = open_to_us and (facts.situation.whitespace or 0.0) >= config.min_whitespace > 0
    if held is None:
        well = facts.score >= config.fire and facts.change > 0 and facts.confidence >= config.min_confidence
        return _reason(config, None, as_of, facts.score, worse=True) if well or room else None
    if facts.score < config.clear and not room:
        return None
    return _reason(config, held, as_of, facts.score, worse=facts.score >= held.value + max(config.step, 1.0))


def _above(config: RuleConfig, held: Reason | None, as_of: float, value: float) -> Reason | None:
    """A value that fires from `fire` on and holds while it is above `clear`."""
    if value < config.fire if held is None else value <= config.clear:
        return None
    return _reason(config, held, as_of, value, worse=held is None or value >= held.value + max(config.step, 1.0))


_CONDITIONS: Final = {
    "health-below": _health_below,
    "health-drop": _health_drop,
    "evidence-burst": _burst,
    "decisive-evidence": _decisive,
    "going-dark": _going_dark,
    "pattern-break": _pattern_break,
    "renewal-risk": _renewal_risk,
    "champion-lost": _champion_lost,
    "detractor-with-veto": _detractor_with_veto,
    "single-threaded": _single_threaded,
    "plan-slipping": _plan_slipping,
    "growth-opportunity": _growth_opportunity,
}


def rule_thresholds(configs: Mapping[str, RuleConfig], held: Mapping[str, Reason]) -> list[float]:
    """Scores whose crossing, by time alone, can change a rule."""
    drop = held.get("health-drop")
    thresholds = [configs[rule].clear if rule in held else configs[rule].fire for rule in _BY_SCORE]
    if drop is not None and drop.reference is not None:
        thresholds.append(drop.reference - drop.clear_threshold)
    return thresholds


def rule_deadlines(
    configs: Mapping[str, RuleConfig], facts: Facts, held: Mapping[str, Reason], as_of: float
) -> list[float]:
    """Instants at which time alone can change a rule: past ones may be among them."""
    instants = _fact_deadlines(configs, facts, as_of)
    if facts.negatives and ("pattern-break" in held or _moves_by_days(configs["pattern-break"], facts, as_of)):
        instants.append((as_of // DAY + 1) * DAY)
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


def _fact_deadlines(configs: Mapping[str, RuleConfig], facts: Facts, as_of: float) -> list[float]:
    instants = []
    if facts.silence_days is not None:
        dark = configs["going-dark"].fire * facts.cadence_days
        instants.append(as_of + (dark - facts.silence_days) * DAY)
    if facts.renewal_at is not None:
        instants.append(facts.renewal_at - configs["renewal-risk"].window_days * DAY)
    instants += [since + configs["plan-slipping"].window_days * DAY for since in facts.situation.overdue]
    return instants


def _moves_by_days(config: RuleConfig, facts: Facts, as_of: float) -> bool:
    """Whether a break of pattern can come or go because its windows move on by a day."""
    return recent_pieces(facts.tally, int(as_of // DAY), int(config.window_days)) >= config.min_pieces
