"""Forward-decay balances (Cormode et al. 2009) and the short memory of recent evidence. Times are UTC epoch seconds."""

from dataclasses import dataclass, field
from math import log2
from typing import Final, NamedTuple, TypeVar

from scoring_svc.scorecards.rules import DAY, RETURNED, UNRETURNED, Scorecard

RETURNED_SUM: Final = 3
UNRETURNED_SUM: Final = 4
REBASE_AT: Final = 60.0
LATEST_KEPT: Final = 3
NEGATIVES_KEPT: Final = 12
STRONGEST_KEPT: Final = 3
_INDEX: Final = {"heart": 0, "mind": 1, "wallet": 2}


class Piece(NamedTuple):
    """One piece of evidence as it counts: `weight` is the kind's worth times the magnitude, 0 when unknown.

    Ids are texts (lower case) on this path: as `UUID` objects, sorting and hashing them costs more than scoring.
    """

    evidence_id: str
    kind: str
    dimension: int
    weight: float
    observed: float

    @property
    def known(self) -> bool:
        """Whether the scorecard gives this kind a worth in one of the three dimensions."""
        return self.dimension >= 0 and self.weight != 0.0


def dimension_index(dimension: str) -> int:
    """0 heart, 1 mind, 2 wallet; -1 for a word we do not know, which then counts nothing."""
    return _INDEX.get(dimension, -1)


def worth(card: Scorecard, kind: str, dimension: int, magnitude: float) -> float:
    """Signed points of a piece at the moment it is observed; 0 for an unknown kind or dimension."""
    return card.kind_weights.get(kind, 0.0) * magnitude if dimension >= 0 else 0.0


@dataclass(slots=True)
class Balances:
    """Five decayed sums relative to a landmark: heart, mind, wallet, returned, unreturned; pieces per dimension.

    Mutable, because a batch adds to it thousands of times. Adding is commutative: only rounding knows the order.
    """

    landmark: float
    sums: list[float] = field(default_factory=lambda: [0.0] * 5)
    counts: list[int] = field(default_factory=lambda: [0, 0, 0])
    unknown: int = 0
    tally: dict[int, list[int]] | None = field(default_factory=dict)
    """Negative pieces and all pieces by the day (since 1970) they were observed; None: to be read from the ledger."""

    def add(self, piece: Piece, half_lives: tuple[float, ...], sign: int = 1) -> None:
        """Count a piece (`sign` 1) or take one back (`sign` -1)."""
        if not piece.known:
            self.unknown += sign
            return
        index = piece.dimension
        age = piece.observed - self.landmark
        half_life = half_lives[index]
        if age > REBASE_AT * half_life:
            self.rebase(piece.observed, half_lives)
            age = 0.0
        sums = self.sums
        sums[index] += sign * piece.weight * 2.0 ** (age / half_life)
        self.counts[index] += sign
        if self.counts[index] == 0:
            sums[index] = 0.0  # what rounding left behind
        if self.tally is not None:
            self._count(self.tally, int(piece.observed // DAY), piece.weight < 0, sign)
        if piece.kind in RETURNED:
            sums[RETURNED_SUM] += sign * 2.0 ** (age / half_lives[RETURNED_SUM])
        elif piece.kind in UNRETURNED:
            sums[UNRETURNED_SUM] += sign * 2.0 ** (age / half_lives[UNRETURNED_SUM])

    @staticmethod
    def _count(tally: dict[int, list[int]], day: int, negative: bool, sign: int) -> None:
        counted = tally.setdefault(day, [0, 0])
        counted[0] += sign * negative
        counted[1] += sign
        if not counted[1]:
            del tally[day]

    def rebase(self, landmark: float, half_lives: tuple[float, ...]) -> None:
        """Move the landmark forward, so that exponents stay small; the balances at any time stay the same."""
        step = landmark - self.landmark
        self.sums = [s * 2.0 ** (-step / h) for s, h in zip(self.sums, half_lives, strict=True)]
        self.landmark = landmark

    def at(self, as_of: float, half_lives: tuple[float, ...]) -> list[float]:
        """The five balances B(t) at `as_of`. Evidence observed later than `as_of` must not have been added."""
        age = self.landmark - as_of
        return [s * 2.0 ** (age / h) for s, h in zip(self.sums, half_lives, strict=True)]


# (rank, weight, observed, kind, evidence id): rank = log2|weight| + observed/half-life orders by decayed strength,
# and does so at any time, because all pieces of a dimension decay alike.
Strong = tuple[float, float, float, str, str]
_Kept = TypeVar("_Kept", float, tuple[float, str], Strong)


def side(dimension: int, weight: float) -> int:
    """Where a dimension's gains, or its losses, are remembered."""
    return 2 * dimension + (weight < 0)


@dataclass(slots=True)
class Memory:
    """What decisions need to know of single pieces, bounded however long the history is.

    `latest`: the newest three times per dimension. `negatives`: the newest twelve (time, kind) with negative worth.
    `marks`: the newest time per tracked kind. `strongest`: the three heaviest gains and the three heaviest losses
    per dimension, at `side(dimension, weight)`.
    """

    latest: list[list[float]] = field(default_factory=lambda: [[], [], []])
    negatives: list[tuple[float, str]] = field(default_factory=list)
    marks: dict[str, float] = field(default_factory=dict)
    strongest: list[list[Strong]] = field(default_factory=lambda: [[] for _ in range(6)])

    def remember(self, piece: Piece, half_lives: tuple[float, ...], tracked: frozenset[str]) -> None:
        """Take in a piece; the result does not depend on the order in which pieces come."""
        if not piece.known:
            return
        index, observed, weight = piece.dimension, piece.observed, piece.weight
        latest = self.latest[index]
        if len(latest) < LATEST_KEPT or observed > latest[-1]:
            _insert(latest, observed, LATEST_KEPT)
        if weight < 0:
            _insert(self.negatives, (observed, piece.kind), NEGATIVES_KEPT)
        if piece.kind in tracked and observed > self.marks.get(piece.kind, float("-inf")):
            self.marks[piece.kind] = observed
        strongest = self.strongest[side(index, weight)]
        rank = log2(abs(weight)) + observed / half_lives[index]
        if len(strongest) < STRONGEST_KEPT or rank >= strongest[-1][0]:
            _insert(strongest, (rank, weight, observed, piece.kind, piece.evidence_id), STRONGEST_KEPT)

    def knows(self, piece: Piece) -> bool:
        """Whether taking this piece away would change what is remembered (then it is rebuilt from the ledger)."""
        if not piece.known:
            return False
        return (
            piece.observed in self.latest[piece.dimension]
            or (piece.observed, piece.kind) in self.negatives
            or self.marks.get(piece.kind) == piece.observed
            or any(strong[4] == piece.evidence_id for strong in self.strongest[side(piece.dimension, piece.weight)])
        )


def _insert(kept: list[_Kept], item: _Kept, limit: int) -> None:
    """Keep the list in falling order and no longer than `limit`."""
    kept.append(item)
    kept.sort(reverse=True)
    if len(kept) > limit:
        kept.pop()
