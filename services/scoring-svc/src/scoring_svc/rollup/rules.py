"""A group's health from that of its accounts, by the tenant's policy. Pure; scores 0 to 100."""

from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple
from uuid import UUID

from scoring_svc.health.rules import plain_band
from scoring_svc.scorecards.rules import Scorecard

POLICIES: Final = ("own", "worst-child", "value-weighted", "mean")
DEFAULT_POLICY: Final = "worst-child"
BANDS: Final = ("healthy", "watch", "at-risk", "unknown")


class Member(NamedTuple):
    """An account of the group: its health (None: never evaluated) and its yearly value; depth 0 is the parent."""

    account_id: UUID
    name: str | None
    depth: int
    score: float | None
    band: str | None
    value: float

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
