"""Judging accounts as they are and as another scorecard would have them, and what it comes to for all. Pure."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from heapq import nlargest
from typing import Final, NamedTuple
from uuid import UUID

from scoring_svc.alerts.rules import Alert, Decision
from scoring_svc.evaluation.rules import Book, judge
from scoring_svc.health.rules import Account
from scoring_svc.ledger.rules import Balances, Memory, Piece, worth

SHOWN: Final = 200
"""Accounts named of those that would change, the largest changes first."""
STEP: Final = 10.0
_BEGUN: Final = frozenset({"opened", "reopened"})


class Seen(NamedTuple):
    """A piece of evidence as the ledger keeps it; `observed` in UTC epoch seconds."""

    evidence_id: str
    kind: str
    dimension: int
    magnitude: float
    observed: float


@dataclass(slots=True)
class Spread:
    """How accounts lie: how many in each band and in each tenth of the scores, those of unknown health left out."""

    bands: Counter[str] = field(default_factory=Counter)
    tenths: list[int] = field(default_factory=lambda: [0] * 10)
    total: float = 0.0

    def add(self, score: float, band: str) -> None:
        """Take in an account."""
        self.bands[band] += 1
        if band != "unknown":
            self.tenths[min(9, int(score // STEP))] += 1
            self.total += score

    @property
    def mean(self) -> float | None:
        """The mean score; None when nobody's health is known."""
        known = sum(self.tenths)
        return self.total / known if known else None


class Difference(NamedTuple):
    """An account that would be in another band, or have another alert."""

    account_id: str
    name: str | None
    score: float
    band: str
    new_score: float
    new_band: str
    opens: tuple[str, ...]
    resolves: tuple[str, ...]


@dataclass(slots=True)
class Trial:
    """What a scorecard comes to; grows account by account."""

    accounts: int = 0
    affected: int = 0
    before: Spread = field(default_factory=Spread)
    after: Spread = field(default_factory=Spread)
    moves: Counter[tuple[str, str]] = field(default_factory=Counter)
    opens: Counter[str] = field(default_factory=Counter)
    resolves: Counter[str] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)
    different: int = 0

    def add(self, account: Account, now: "Judged", then: "Judged") -> None:
        """Take in an account as it is and as it would be."""
        self.accounts += 1
        self.before.add(now.score, now.band)
        self.after.add(then.score, then.band)
        if now.band != then.band:
            self.moves[now.band, then.band] += 1
        opens = then.begun - now.begun
        resolves = then.resolved - now.resolved
        self.opens.update(opens)
        self.resolves.update(resolves)
        if now.band != then.band or opens or resolves:
            self.different += 1
            found = Difference(
                account.account_id,
                account.name,
                now.score,
                now.band,
                then.score,
                then.band,
                tuple(sorted(opens)),
                tuple(sorted(resolves)),
            )
            self.differences.append(found)
            if len(self.differences) > 2 * SHOWN:
                self.differences = self.largest

    @property
    def largest(self) -> list[Difference]:
        """The accounts that would change most."""
        return nlargest(SHOWN, self.differences, key=lambda each: (abs(each.new_score - each.score), each.account_id))


class Judged(NamedTuple):
    """An account's score and band, and the kinds of alert that would begin and end with it."""

    score: float
    band: str
    begun: frozenset[str]
    resolved: frozenset[str]


def as_it_is(
    account: Account, book: Book, alerts: Mapping[str, Alert], as_of: float, new_id: Callable[[], UUID]
) -> Judged:
    """Judge a copy of the account, which stays as it is."""
    taken = copy(account)
    taken.days = [list(day) for day in account.days]
    verdict = judge(taken, book, alerts, as_of, new_id)
    return _judged(taken, verdict.decisions)


def as_it_would_be(
    account: Account,
    book: Book,
    pieces: Iterable[Seen],
    alerts: Mapping[str, Alert],
    as_of: float,
    new_id: Callable[[], UUID],
) -> Judged:
    """Judge a copy whose balances and memory are made of all its evidence observed until `as_of` by another book."""
    taken, card = copy(account), book.card
    taken.balances, taken.memory, taken.days = Balances(as_of), Memory(), []
    for evidence_id, kind, dimension, magnitude, observed in pieces:
        piece = Piece(evidence_id, kind, dimension, worth(card, kind, dimension, magnitude), observed)
        taken.balances.add(piece, card.half_lives)
        taken.memory.remember(piece, card.half_lives, book.tracked)
    return _judged(taken, judge(taken, book, alerts, as_of, new_id).decisions)


def _judged(account: Account, decisions: Sequence[Decision]) -> Judged:
    begun = frozenset(decision.alert.kind for decision in decisions if decision.change in _BEGUN)
    resolved = frozenset(decision.alert.kind for decision in decisions if decision.change == "resolved")
    return Judged(account.score, account.band or "unknown", begun, resolved)
