"""Caps: facts so grave that a score above them would be false comfort. Pure; times are UTC epoch seconds."""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from scoring_svc.scorecards.rules import Scorecard
from scoring_svc.situation.rules import Situation

DECLINED: Final = "renewal-declined"
SIGNED: Final = "renewal-signed"
CAP_KINDS: Final = frozenset({DECLINED, SIGNED})
"""Evidence kinds whose newest time decides over a cap."""
WALLET: Final = 2

REASONS: Final[Mapping[str, str]] = {
    "renewal-declined": "The client declined to renew and has not signed since.",
    "champion-gone": "A champion is gone and nobody has taken the place.",
    "veto-holder-detractor": "Somebody who holds a veto is a detractor.",
}


class Cap(NamedTuple):
    """A cap in force: its name, and the score (0 to 100) above which no score goes."""

    cap: str
    limit: float

    @property
    def reason(self) -> str:
        """Why the score is capped, in a sentence."""
        return REASONS[self.cap]


def caps_in_force(card: Scorecard, marks: Mapping[str, float], situation: Situation, as_of: float) -> list[Cap]:
    """The caps that hold at `as_of`, the lowest first.

    `marks` has the newest time per kind. A declined renewal caps until one is signed, or until it is as old as
    evidence that no longer makes a dimension sure: two half-lives.
    """
    return sorted(_in_force(card, marks, situation, as_of), key=lambda cap: cap.limit)


def _in_force(card: Scorecard, marks: Mapping[str, float], situation: Situation, as_of: float) -> Iterator[Cap]:
    until = declined_until(card, marks)
    if until is not None and as_of <= until:
        yield Cap("renewal-declined", card.cap_renewal_declined)
    if situation.champion_gone:
        yield Cap("champion-gone", card.cap_champion_gone)
    if situation.opposing_vetoes:
        yield Cap("veto-holder-detractor", card.cap_veto_holder_detractor)


def declined_until(card: Scorecard, marks: Mapping[str, float]) -> float | None:
    """When a declined renewal stops to cap if nothing happens; None when none was, or one was signed since."""
    declined = marks.get(DECLINED)
    if declined is None or marks.get(SIGNED, float("-inf")) >= declined:
        return None
    return declined + 2.0 * card.half_lives[WALLET]


def cap_until(card: Scorecard, marks: Mapping[str, float], cap: Cap) -> float | None:
    """When a cap in force ends by itself; None for one that ends only when something happens."""
    return declined_until(card, marks) if cap.cap == DECLINED else None
