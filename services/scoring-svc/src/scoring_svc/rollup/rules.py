"""A group's health from that of its accounts as it is shown, by the tenant's policy. Pure; scores 0 to 100."""

from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple
from uuid import UUID

from scoring_svc.health.rules import NEUTRAL, plain_band
from scoring_svc.scorecards.rules import Scorecard

POLICIES: Final = ("own", "worst-child", "value-weighted", "mean")
DEFAULT_POLICY: Final = "worst-child"
BANDS: Final = ("healthy", "watch", "at-risk", "unknown")
# A score that a person puts into a band lies this far below the band's upper edge, which belongs to the next one.
_JUST_BELOW: Final = 0.01


class Shown(NamedTuple):
    """An account's health as it is shown: as computed, caps included, unless a person set it (`override`)."""

    score: float | None
    band: str | None
    override: bool = False


def shown(
    card: Scorecard, score: float | None, band: str | None, said_score: float | None, said_band: str | None
) -> Shown:
    """The computed health, or what a person says instead: a score, which has its band, or a band.

    A band alone takes the computed score along: to the nearest score within the band.
    """
    if said_score is not None:
        return Shown(said_score, plain_band(card, said_score), override=True)
    if said_band is None:
        return Shown(score, band)
    low, high = {
        "at-risk": (0.0, card.watch_from - _JUST_BELOW),
        "watch": (card.watch_from, card.healthy_from - _JUST_BELOW),
        "healthy": (card.healthy_from, 100.0),
    }[said_band]
    return Shown(min(high, max(low, NEUTRAL if score is None else score)), said_band, override=True)


class Member(NamedTuple):
    """An account of the group: its shown health (None: never evaluated) and its yearly value; depth 0 is the parent."""

    account_id: UUID
    name: str | None
    depth: int
    score: float | None
    band: str | None
    value: float
    override: bool = False

    @property
    def counts(self) -> bool:
        """Whether enough is known for its score to say something."""
        return self.score is not None and self.band not in (None, "unknown")


class RolledUp(NamedTuple):
    """The group's score and band, the member that drives it (None: nobody counts), and members per band."""

    score: float | None
    band: str
    driver: Member | None
    bands: dict[str, int]


def roll_up(policy: str, members: Sequence[Member], card: Scorecard) -> RolledUp:
    """Judge the group of a parent (depth 0) and all below it; members of whom too little is known do not count.

    `own` is the parent's; `worst-child` the lowest of all; the others are means of all, by value or plain. Without any
    value, all weigh alike. The driver is who takes most from 100; with `own` the parent.
    """
    bands = Counter(member.band or "unknown" for member in members)
    counted = {band: bands[band] for band in BANDS}
    known = [member for member in members if member.counts and (policy != "own" or member.depth == 0)]
    if not known:
        return RolledUp(None, "unknown", None, counted)
    weights = [max(0.0, member.value) if policy == "value-weighted" else 1.0 for member in known]
    if not sum(weights):
        weights = [1.0] * len(known)
    losses = [weight * (100.0 - (member.score or 0.0)) for weight, member in zip(weights, known, strict=True)]
    place = max(range(len(known)), key=lambda n: (losses[n], str(known[n].account_id)))
    driver = known[place]
    if policy in ("own", "worst-child"):
        score = driver.score or 0.0
        return RolledUp(score, driver.band or "unknown", driver, counted)
    score = min(100.0, max(0.0, 100.0 - sum(losses) / sum(weights)))
    return RolledUp(score, plain_band(card, score), driver, counted)
