"""Walking one rule through an account's past: when it would have opened an alert, and for how long. Pure.

The past is the health history, what was known of people and plans, and the ledger as it stands now; what changed
between two entries is not known, so the walk stops at each entry, at each piece of evidence and once a day. Times are
UTC epoch seconds.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import Final, NamedTuple
from uuid import UUID

from scoring_svc.alert_rules.rules import Facts, RuleConfig
from scoring_svc.alerts.rules import Alert, decide, standing_reasons
from scoring_svc.health.rules import TREND_DAYS, Day, change_over, note_score, peak
from scoring_svc.ledger.rules import NEGATIVES_KEPT
from scoring_svc.scorecards.rules import DAY, Scorecard
from scoring_svc.situation.rules import NOTHING_KNOWN, Situation

PAST_DAYS: Final = 90
OF_SITUATION: Final = frozenset({"champion-lost", "detractor-with-veto", "single-threaded", "plan-slipping"})
"""Rules that go by people and plans."""
_NOBODY: Final = UUID(int=0)


class Moment(NamedTuple):
    """An entry of the health history."""

    at: float
    score: float
    confidence: float
    mind: float | None
    engagement: float | None


class Seen(NamedTuple):
    """A piece of evidence as it stands."""

    at: float
    kind: str
    negative: bool


@dataclass(frozen=True, slots=True)
class Past:
    """What is known of an account's past, oldest first; what it is, its value, renewal, cadence and room are today's.

    `situations` are with the instants from which they stood; before `known_from` (None: never) nobody kept them.
    """

    moments: Sequence[Moment]
    evidence: Sequence[Seen]
    tier: str | None = None
    value: float | None = None
    renewal_at: float | None = None
    cadence_days: float = 30.0
    whitespace: float | None = None
    situations: Sequence[tuple[float, Situation]] = ()
    known_from: float | None = None
    industry: str | None = None
    territory: str | None = None


@dataclass(frozen=True, slots=True)
class Raised:
    """An alert that the rule alone would have raised; `resolved_at` None: it would stand now."""

    opened_at: float
    severity: str
    value: float
    resolved_at: float | None = None
    reopened: int = 0


@dataclass(slots=True)
class _Known:
    """What is known at one moment of the walk; grows as the walk goes on."""

    negatives: list[tuple[float, str]] = field(default_factory=list)
    marks: dict[str, float] = field(default_factory=dict)
    tally: dict[int, list[int]] = field(default_factory=dict)
    days: list[Day] = field(default_factory=list)

    def learn(self, seen: Seen) -> None:
        """Take in the next piece of evidence."""
        if seen.negative:
            self.negatives = [(seen.at, seen.kind), *self.negatives][:NEGATIVES_KEPT]
        self.marks[seen.kind] = seen.at
        counted = self.tally.setdefault(int(seen.at // DAY), [0, 0])
        counted[0] += seen.negative
        counted[1] += 1


def raised(config: RuleConfig, past: Past, card: Scorecard, now: float) -> list[Raised]:
    """The alerts that the rule alone would have raised in the last 90 days, oldest first; `card` is the account's."""
    rules, found = {config.rule: config}, list[Raised]()
    alert: Alert | None = None
    waiting: dict[str, float] = {}
    for at, facts in _walk(past, config, card, now):
        outcome = standing_reasons(rules, facts, alert.held if alert is not None else {}, waiting, at)
        waiting = outcome.waiting
        decision = decide(alert, outcome.reasons, rules, at, lambda: _NOBODY, config.alert_kind)
        if decision is None:
            continue
        alert = decision.alert
        if decision.change == "opened":
            found.append(Raised(at, alert.severity, alert.reasons[0].value))
        elif decision.change == "reopened":
            found[-1] = replace(found[-1], resolved_at=None, reopened=found[-1].reopened + 1)
        elif decision.change == "resolved":
            found[-1] = replace(found[-1], resolved_at=at)
    return found


def _walk(past: Past, config: RuleConfig, card: Scorecard, now: float) -> Iterator[tuple[float, Facts]]:
    """Facts at each stop; it sets out before it tells, to know the best and the last scores of earlier days."""
    times, known, learnt = [moment.at for moment in past.moments], _Known(), 0
    start = holds_from(config, past, now)
    for at in _instants(past, config, now):
        while learnt < len(past.evidence) and past.evidence[learnt].at <= at:
            known.learn(past.evidence[learnt])
            learnt += 1
        place = bisect_right(times, at)
        if not place:
            continue
        moment = past.moments[place - 1]
        if moment.confidence >= card.min_confidence:
            note_score(known.days, moment.score, at)
        if at >= start:
            yield at, _facts(past, config, card, known, moment, at)


def holds_from(config: RuleConfig, past: Past, now: float) -> float:
    """The instant from which on the walk knows what the rule goes by: 90 days ago, or when that began to be kept."""
    start = now - PAST_DAYS * DAY
    return max(start, past.known_from or start) if config.rule in OF_SITUATION else start


def _instants(past: Past, config: RuleConfig, now: float) -> list[float]:
    """Where the walk stops."""
    days = PAST_DAYS + TREND_DAYS
    instants = {now - day * DAY for day in range(days + 1)}
    instants.update(moment.at for moment in past.moments)
    instants.update(seen.at for seen in past.evidence)
    for at, situation in past.situations:
        late = (since + config.window_days * DAY + 1.0 for since in situation.overdue)
        instants |= {at, *late} if config.rule in OF_SITUATION else set()
    return sorted(at for at in instants if now - days * DAY <= at <= now)


def _facts(past: Past, config: RuleConfig, card: Scorecard, known: _Known, moment: Moment, at: float) -> Facts:
    return Facts(
        score=moment.score,
        confidence=moment.confidence,
        peak=peak(known.days, at, config.window_days),
        silence_days=silence(moment, past.cadence_days, card.engaged, at),
        cadence_days=past.cadence_days,
        negatives=known.negatives,
        marks=known.marks,
        tier=past.tier,
        value=past.value,
        tally=known.tally,
        change=change_over(known.days, moment.score, at),
        mind=moment.mind,
        renewal_at=past.renewal_at,
        situation=_situation(past, at),
        industry=past.industry,
        territory=past.territory,
    )


def _situation(past: Past, at: float) -> Situation:
    place = bisect_right(past.situations, at, key=itemgetter(0))
    stood = past.situations[place - 1][1] if place else NOTHING_KNOWN
    return replace(stood, whitespace=past.whitespace)


def silence(moment: Moment, cadence: float, engaged: float, at: float) -> float | None:
    """Days of silence that a measure of engagement tells of, and those since: none in the cadence, three at zero."""
    if moment.engagement is None:
        return None
    told = 3.0 * cadence - 2.0 * cadence * moment.engagement / engaged if moment.engagement < engaged else 0.0
    return told + (at - moment.at) / DAY
