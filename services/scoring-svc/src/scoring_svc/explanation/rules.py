"""Points: what each measure and each piece of evidence adds to or takes from a score. Pure; nothing is stored here."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import log2
from typing import NamedTuple

from scoring_svc.caps.rules import CAP_KINDS, DECLINED, Cap, caps_in_force
from scoring_svc.health.rules import (
    NEUTRAL,
    RESPONSIVENESS,
    Reported,
    Standing,
    confidence,
    dimension_score,
    measure_values,
    responsiveness,
    weigh,
    weighted_score,
)
from scoring_svc.ledger.rules import LATEST_KEPT, RETURNED_SUM, UNRETURNED_SUM, Balances, Memory, Piece
from scoring_svc.scorecards.rules import RETURNED, UNRETURNED, Scorecard
from scoring_svc.situation.rules import NOTHING_KNOWN, Situation


class Driver(NamedTuple):
    """A piece of evidence and the points the score owes to it: score with it minus score without it."""

    evidence_id: str
    kind: str
    observed: float
    points: float


def by_loss(points: float) -> tuple[bool, float]:
    """The order in which points are told: losses first, then gains, each by size."""
    return points >= 0, -abs(points)


def measure_points(card: Scorecard, values: Sequence[float | None]) -> list[float]:
    """Points of each measure against neutral 50; a missing measure has 0. Their sum is score - 50."""
    present = sum(w for w, v in zip(card.measure_weights, values, strict=True) if v is not None)
    return [
        w * (v - NEUTRAL) / present if v is not None else 0.0 for w, v in zip(card.measure_weights, values, strict=True)
    ]


class Leaving:
    """Answers what a score would be without one piece of evidence; built once per score, asked per piece.

    `sums` are the five balances at the instant of the score, `counts` the pieces per dimension.
    """

    __slots__ = ("_card", "_counts", "_present", "_score", "_sums", "_total", "_values")

    def __init__(
        self,
        card: Scorecard,
        values: Sequence[float | None],
        sums: Sequence[float],
        counts: Sequence[int],
    ) -> None:
        self._card, self._values, self._sums, self._counts = card, values, sums, counts
        self._total, self._present = weigh(card, values)
        self._score = self._total / self._present if self._present else NEUTRAL

    def points(self, dimension: int, kind: str, contribution: float, decayed_one: float) -> float:
        """Score minus the score without this piece.

        `contribution` is what the piece adds to its dimension at that instant, `decayed_one` what one return or one
        missing return of its age counts.
        """
        balance = self._sums[dimension] - contribution
        left = dimension_score(balance, self._card.scale) if self._counts[dimension] > 1 else None
        total, present = self._swap(self._total, self._present, dimension, left)
        if kind in RETURNED or kind in UNRETURNED:
            returned, unreturned = self._sums[RETURNED_SUM], self._sums[UNRETURNED_SUM]
            if kind in RETURNED:
                returned -= decayed_one
            else:
                unreturned -= decayed_one
            rate = responsiveness(returned, unreturned)
            total, present = self._swap(total, present, RESPONSIVENESS, rate)
        return self._score - (total / present if present else NEUTRAL)

    def _swap(self, total: float, present: float, index: int, value: float | None) -> tuple[float, float]:
        """The weighted sum and the weight present with another value for one measure."""
        weight, before = self._card.measure_weights[index], self._values[index]
        if before is not None:
            total -= weight * before
            present -= weight
        return (total, present) if value is None else (total + weight * value, present + weight)


def drivers(
    card: Scorecard,
    values: Sequence[float | None],
    sums: Sequence[float],
    counts: Sequence[int],
    memory: Memory,
    as_of: float,
    keep: int = 3,
) -> list[Driver]:
    """The strongest remembered losses and, where there are few, gains, with their exact points; each side by size."""
    half_lives = card.half_lives
    heaviest = []
    for place, strongest in enumerate(memory.strongest):
        # Logarithms order as the decayed contributions do, and cost less.
        dimension, loss = divmod(place, 2)
        now = log2(card.measure_weights[dimension] or 1e-9) - as_of / half_lives[dimension]
        heaviest += [(loss, piece[0] + now, dimension, piece) for piece in strongest]
    heaviest.sort(reverse=True)
    leaving = Leaving(card, values, sums, counts)
    found = []
    for _, _, dimension, (_, worth, observed, kind, evidence_id) in heaviest[:keep]:
        age = observed - as_of
        contribution = worth * 2.0 ** (age / half_lives[dimension])
        points = leaving.points(dimension, kind, contribution, 2.0 ** (age / half_lives[RETURNED_SUM]))
        found.append(Driver(evidence_id, kind, observed, points))
    found.sort(key=lambda driver: by_loss(driver.points))
    return found


class CapShare(NamedTuple):
    """A cap in force and the points it takes: all of them are the lowest cap's. With the evidence behind it, if any."""

    cap: Cap
    points: float
    evidence_id: str | None


@dataclass(frozen=True, slots=True)
class Share:
    """A piece of evidence, what the measures owe to it, and what the score as shown does; unknown kinds have 0.

    The two differ under a cap: behind it most pieces move nothing, and what put it in force moves much.
    """

    piece: Piece
    points: float
    shown_points: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """A score taken apart: 50, the points of the measures and those of the caps add up to it.

    `uncapped` is 50 with the measures' points alone; `values` and `points` are in the order of the measures.
    """

    score: float
    uncapped: float
    confidence: float
    values: list[float | None]
    points: list[float]
    caps: list[CapShare]
    evidence: list[Share]


class _Caps:
    """The caps in force, and those that would be without one piece of evidence."""

    def __init__(self, card: Scorecard, pieces: Sequence[Piece], situation: Situation, as_of: float) -> None:
        self._card, self._situation, self._as_of = card, situation, as_of
        self._newest: dict[str, list[Piece]] = {}
        for piece in sorted(pieces, key=lambda each: each.observed, reverse=True):
            if piece.known and piece.kind in CAP_KINDS:
                self._newest.setdefault(piece.kind, []).append(piece)
        self.caps = self._without(None)

    def _without(self, left_out: Piece | None) -> list[Cap]:
        marks = {
            kind: next((piece.observed for piece in newest if piece is not left_out), float("-inf"))
            for kind, newest in self._newest.items()
        }
        known = {kind: observed for kind, observed in marks.items() if observed > float("-inf")}
        return caps_in_force(self._card, known, self._situation, self._as_of)

    def capped(self, score: float, left_out: Piece | None = None) -> float:
        """The score under the caps; without a piece, under those that would be."""
        caps = self.caps if left_out is None or left_out.kind not in CAP_KINDS else self._without(left_out)
        return min([score, *(cap.limit for cap in caps)])

    def shares(self, uncapped: float) -> list[CapShare]:
        """What each cap takes from a score: the lowest all, the others nothing."""
        told = []
        for place, cap in enumerate(self.caps):
            points = min(0.0, cap.limit - uncapped) if place == 0 else 0.0
            declined = self._newest[DECLINED][0].evidence_id if cap.cap == DECLINED else None
            told.append(CapShare(cap, points, declined))
        return told


def situation_told(caps: Collection[str]) -> Situation:
    """People at the client as far as caps that history tells of say it; evidence caps a past score by itself."""
    return Situation(champions_lost=int("champion-gone" in caps), opposing_vetoes=int("veto-holder-detractor" in caps))


def explain(
    card: Scorecard,
    pieces: Sequence[Piece],
    reported: Reported | None,
    taken: Mapping[int, float | None],
    as_of: float,
    situation: Situation = NOTHING_KNOWN,
) -> Explanation:
    """Take the score at `as_of` apart, from the evidence observed until then.

    `taken` gives measures by index that must be as they were then, for a past in which `reported` is not known.
    """
    balances = Balances(as_of)
    latest: tuple[list[float], ...] = ([], [], [])
    for piece in pieces:
        balances.add(piece, card.half_lives)
        if piece.known:
            latest[piece.dimension].append(piece.observed)
    newest = [sorted(times, reverse=True)[:LATEST_KEPT] for times in latest]
    values = measure_values(card, Standing(balances, newest, reported or Reported()), as_of)
    for index, value in taken.items():
        values[index] = value
    _, present = weigh(card, values)
    leaving = Leaving(card, values, balances.at(as_of, card.half_lives), balances.counts)
    uncapped, caps = weighted_score(card, values), _Caps(card, pieces, situation, as_of)
    score = caps.capped(uncapped)
    shares = []
    for piece in pieces:
        points = _points(card, leaving, piece, as_of)
        shares.append(Share(piece, points, score - caps.capped(uncapped - points, piece) if piece.known else 0.0))
    shares.sort(key=lambda share: by_loss(share.points))
    return Explanation(
        score,
        uncapped,
        confidence(card, values, present, newest, as_of),
        values,
        measure_points(card, values),
        caps.shares(uncapped),
        shares,
    )


def _points(card: Scorecard, leaving: Leaving, piece: Piece, as_of: float) -> float:
    if not piece.known:
        return 0.0
    age = piece.observed - as_of
    contribution = piece.weight * 2.0 ** (age / card.half_lives[piece.dimension])
    return leaving.points(piece.dimension, piece.kind, contribution, 2.0 ** (age / card.half_lives[RETURNED_SUM]))
