"""The catalogue of evidence kinds, and how a fresh derivation is compared with what is on record. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

from metrics_svc.activities.rules import OBSERVATION, Change

Dimension = Literal["heart", "mind", "wallet"]
"""What share of the client evidence speaks of."""

Family = Literal[
    "meetings",
    "calls-and-emails",
    "introductions",
    "advice",
    "buying-timing",
    "inside-information",
    "scope",
    "buying-pace",
    "service",
]
"""The families of client evidence. They are the same for every tenant."""

FAMILIES: Mapping[Family, Dimension] = {
    "meetings": "heart",
    "calls-and-emails": "heart",
    "introductions": "heart",
    "advice": "mind",
    "buying-timing": "mind",
    "inside-information": "mind",
    "scope": "wallet",
    "buying-pace": "wallet",
    "service": "heart",
}
"""The dimension that each family feeds."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of evidence: its family, and whether it speaks for us or against us.

    A ``retired`` kind stays what it was where it is on record; nothing new can be of it.
    """

    code: str
    family: Family
    polarity: Literal[-1, 1]
    retired: bool = False

    @property
    def dimension(self) -> Dimension:
        """What share the kind speaks of: that of its family."""
        return FAMILIES[self.family]


def _family(name: Family, good: str, bad: str) -> tuple[Kind, ...]:
    return tuple(Kind(code, name, 1) for code in good.split()) + tuple(Kind(code, name, -1) for code in bad.split())


_KINDS = (
    _family(
        "meetings",
        "meeting-accepted meeting-held",
        "meeting-declined meeting-no-show meeting-cancelled-by-client meeting-unanswered",
    ),
    _family(
        "calls-and-emails",
        "call-returned email-returned client-contacted",
        "call-unreturned email-unreturned",
    ),
    _family("introductions", "introduction-unsolicited introduction-solicited", "introduction-refused"),
    _family("advice", "advice-sought", "advice-ignored"),
    _family("buying-timing", "invited-early", "invited-late not-invited"),
    _family("inside-information", "inside-information-shared", "inside-information-withheld"),
    _family("scope", "scope-expanded", "scope-reduced"),
    _family(
        "buying-pace",
        "order-placed buying-accelerated renewal-signed",
        "buying-decelerated renewal-declined payment-late",
    ),
    _family("service", "complaint-resolved reference-given", "complaint-raised complaint-escalated"),
)

CATALOGUE: Mapping[str, Kind] = {kind.code: kind for family in _KINDS for kind in family}
"""Every kind of ours by its code; tenants add theirs. A new kind is one word here; its worth is scoring-svc's."""


class Slot(NamedTuple):
    """The place a piece of evidence takes: one per account, rule and anchor, however often derived."""

    tenant: str
    account_id: UUID
    rule: str
    anchor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What derivation says of one slot. ``magnitude`` is 1 for an ordinary piece, more or less by size."""

    slot: Slot
    kind: str
    observed_at: datetime
    source: str
    magnitude: float = 1.0
    contact_ids: tuple[UUID, ...] = ()
    owner_id: UUID | None = None
    activity_ids: tuple[UUID, ...] = ()


@dataclass(slots=True)
class Findings:
    """Evidence derived from a slice of the history, and every slot that slice decides about.

    A slot that is decided about and has no evidence has none: what is on record there is retracted.
    """

    evidence: dict[Slot, Evidence] = field(default_factory=dict)
    slots: dict[Slot, None] = field(default_factory=dict)

    def add(self, found: Iterable[Evidence]) -> None:
        """Take evidence; its slots are decided with it."""
        for piece in found:
            self.evidence[piece.slot] = piece
            self.slots[piece.slot] = None

    def decide(self, slots: Iterable[Slot]) -> None:
        """Take places that the slice decides about, whether or not it has evidence for them."""
        self.slots.update(dict.fromkeys(slots))

    def merge(self, other: "Findings") -> None:
        """Take all another slice found."""
        self.evidence.update(other.evidence)
        self.slots.update(other.slots)


def observed_slot(tenant: str, account_id: UUID, activity_id: UUID) -> Slot:
    """Where evidence that a person saw stands."""
    return Slot(tenant, account_id, "observed", str(activity_id))


def observed(changes: Sequence[Change]) -> Findings:
    """Evidence that people saw themselves: each observation is one piece, as they said it."""
    found = Findings()
    for change in changes:
        for activity in change.versions():
            if activity.type == OBSERVATION and activity.account_id is not None:
                found.decide([observed_slot(activity.tenant, activity.account_id, activity.activity_id)])
        seen = change.after
        if seen is None or seen.type != OBSERVATION or seen.account_id is None or seen.kind is None:
            continue
        piece = Evidence(
            slot=observed_slot(seen.tenant, seen.account_id, seen.activity_id),
            kind=seen.kind,
            observed_at=seen.occurred_at,
            source=seen.source,
            magnitude=seen.magnitude or 1.0,
            contact_ids=seen.contact_ids,
            owner_id=seen.owner_id,
            activity_ids=(seen.activity_id,),
        )
        found.add([piece])
    return found


@dataclass(frozen=True, slots=True)
class Recorded:
    """What is on record for a slot. ``withdrawn`` is a person's word and outlives every derivation."""

    evidence: Evidence
    revision: int
    live: bool
    withdrawn: bool


@dataclass(frozen=True, slots=True)
class Revision:
    """A change to the record: evidence in a new revision, or retracted with a reason.

    ``before`` is what stood there until now; None when nothing did.
    """

    evidence: Evidence
    revision: int
    retracted: str | None = None
    before: Evidence | None = None


def reconcile(findings: Findings, recorded: Mapping[Slot, Recorded]) -> list[Revision]:
    """The fewest changes that make the record say what was found; the same findings again give none."""
    changes = []
    for slot in findings.slots:
        found, known = findings.evidence.get(slot), recorded.get(slot)
        if known is None:
            if found is not None:
                changes.append(Revision(found, 1))
            continue
        standing = known.evidence if known.live else None
        if found is not None and not known.withdrawn and found != standing:
            changes.append(Revision(found, known.revision + 1, before=standing))
        elif found is None and standing is not None:
            changes.append(Revision(standing, known.revision + 1, "superseded", before=standing))
    return changes
