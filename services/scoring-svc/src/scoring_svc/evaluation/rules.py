"""Judging one account: its score, its band, its alert and when to look again. Pure; `as_of` in UTC epoch seconds."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Final, NamedTuple
from uuid import UUID

from scoring_svc.alert_rules.rules import Facts, Reason, RuleConfig, by_alert_kind
from scoring_svc.alerts.rules import HOUR, Alert, Decision, decide, standing_reasons
from scoring_svc.caps.rules import caps_in_force, declined_until
from scoring_svc.conditions.rules import rule_deadlines, rule_thresholds
from scoring_svc.forecast.rules import next_evaluation, own_deadlines
from scoring_svc.health.rules import (
    NEUTRAL,
    Account,
    Standing,
    band_limits,
    band_of,
    change_over,
    confidence,
    measure_values,
    note_score,
    peak,
    silence_days,
    weigh,
)
from scoring_svc.patterns.rules import forget
from scoring_svc.scorecards.rules import DAY, Cards, Scorecard

# Changes of score or confidence below this are not worth an event: nobody would see them.
VISIBLE_POINTS: Final = 0.005
VISIBLE_CONFIDENCE: Final = 0.005
MIND: Final = 1


@dataclass(frozen=True, slots=True)
class Book:
    """What an account goes by: its scorecard, the tenant's alert rules, and the evidence kinds that they track."""

    card: Scorecard
    rules: Mapping[str, RuleConfig]
    tracked: frozenset[str]
    by_kind: Mapping[str, Mapping[str, RuleConfig]] = field(init=False)
    """The rules of each kind of alert."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_kind", by_alert_kind(self.rules))


@dataclass(frozen=True, slots=True)
class Books:
    """What a tenant's accounts go by: a book for each of its scorecards."""

    cards: Cards
    rules: Mapping[str, RuleConfig]
    tracked: frozenset[str]
    _by_name: Mapping[str, Book] = field(init=False)

    def __post_init__(self) -> None:
        cards = (self.cards.default, *(card for _, card in self.cards.segments))
        books = {card.name: Book(card, self.rules, self.tracked) for card in cards}
        object.__setattr__(self, "_by_name", books)

    def of(self, account: Account) -> Book:
        """The book of the account, whose tier, industry and territory say which."""
        return self._by_name[self.cards.of(account.tier, account.industry, account.territory).name]

    def made(self, account: Account) -> bool:
        """Whether the account's balances are those of its scorecard; of an account without any, they are."""
        card = self.of(account).card
        return not account.scorecard or (account.scorecard, account.scorecard_version) == (card.name, card.version)


class Verdict(NamedTuple):
    """What an evaluation found, beside the figures that it left in the account."""

    visible: bool
    decisions: Sequence[Decision]


def judge(
    account: Account, book: Book, alerts: Mapping[str, Alert], as_of: float, new_id: Callable[[], UUID]
) -> Verdict:
    """Evaluate the account in place; its balances must hold all evidence observed until `as_of`.

    `alerts` are its current ones by kind; at most one decision is made about each.
    """
    card, standing = book.card, account.standing
    values = measure_values(card, standing, as_of)
    account.measures = values
    total, present = weigh(card, values)
    account.uncapped = min(100.0, total / present) if present else NEUTRAL
    account.caps = caps_in_force(card, account.memory.marks, account.situation, as_of)
    account.score = min([account.uncapped, *(cap.limit for cap in account.caps)])
    account.confidence = confidence(card, values, present, standing.latest, as_of)
    account.band = band_of(card, account.score, account.confidence, account.band)
    account.scorecard, account.scorecard_version = card.name, card.version
    if account.confidence >= card.min_confidence:
        note_score(account.days, account.score, as_of)
    account.change = change_over(account.days, account.score, as_of)

    facts = facts_of(account, book, alerts.get("at-risk"), as_of)
    decisions, left = _decide(account, book, facts, alerts, as_of, new_id)
    account.next_evaluation = _next(account, standing, present, book, facts, left, as_of)
    return Verdict(_visible(account), decisions)


def _decide(
    account: Account,
    book: Book,
    facts: Facts,
    alerts: Mapping[str, Alert],
    as_of: float,
    new_id: Callable[[], UUID],
) -> tuple[list[Decision], list[Alert]]:
    """What becomes of the account's alert of each kind: the decisions, and the alerts as they leave them."""
    decisions, left, waiting = [], [], account.waiting
    account.waiting = {}
    for kind, rules in book.by_kind.items():
        alert = alerts.get(kind)
        outcome = standing_reasons(rules, facts, alert.held if alert is not None else {}, waiting, as_of)
        account.waiting |= outcome.waiting
        if alert is None and not outcome.reasons:
            continue
        decision = decide(alert, outcome.reasons, rules, as_of, new_id, kind)
        if decision is not None:
            decisions.append(decision)
            left.append(decision.alert)
        elif alert is not None:
            left.append(alert)
    return decisions, left


def facts_of(account: Account, book: Book, alert: Alert | None, as_of: float) -> Facts:
    """What alert rules look at. `alert` is the one about risk, which an acknowledgement may end."""
    tally = account.balances.tally or {}
    forget(tally, int(as_of // DAY))
    return Facts(
        score=account.score,
        confidence=account.confidence,
        peak=peak(account.days, as_of, book.rules["health-drop"].window_days),
        silence_days=silence_days(account.reported, as_of),
        cadence_days=account.reported.cadence_days,
        negatives=account.memory.negatives,
        marks=account.memory.marks,
        tier=account.tier,
        value=account.value_amount,
        acknowledged=alert is not None and (alert.acknowledged_at is not None or alert.status == "resolved"),
        tally=tally,
        change=account.change,
        mind=account.measures[MIND],
        renewal_at=None if account.renewal_at is None else account.renewal_at.timestamp(),
        situation=account.situation,
        industry=account.industry,
        territory=account.territory,
    )


def _next(
    account: Account,
    standing: Standing,
    present: float,
    book: Book,
    facts: Facts,
    alerts: Sequence[Alert],
    as_of: float,
) -> float:
    held: dict[str, Reason] = {}
    for alert in alerts:
        held |= alert.held
    edges = band_limits(book.card, account.band)
    until = declined_until(book.card, account.memory.marks)
    deadlines = chain(
        own_deadlines(book.card, standing),
        rule_deadlines(book.rules, facts, held, as_of),
        (since + book.rules[rule].hold_hours * HOUR for rule, since in account.waiting.items()),
        (alert.snoozed_until for alert in alerts if alert.snoozed_until is not None),
        () if account.pending is None else (account.pending,),
        () if until is None else (until,),
        () if account.override is None else (account.override.expires_at.timestamp(),),
    )
    return next_evaluation(
        book.card,
        standing,
        account.measures,
        (account.uncapped, present),
        as_of,
        thresholds=chain(edges, rule_thresholds(book.rules, held)),
        deadlines=deadlines,
    )


def _visible(account: Account) -> bool:
    """Whether anybody would see a difference from what was said last."""
    return (
        account.said_score is None
        or account.recarded
        or account.said_confidence is None
        or account.said_band != account.band
        or account.said_override != (None if account.override is None else account.override.id)
        or list(account.said_caps) != [cap.cap for cap in account.caps]
        or abs(account.score - account.said_score) >= VISIBLE_POINTS
        or abs(account.confidence - account.said_confidence) >= VISIBLE_CONFIDENCE
    )
