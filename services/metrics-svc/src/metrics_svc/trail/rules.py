"""Why something was replaced: what is told by comparing what there was with what there is. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from metrics_svc.activities.rules import Change
from metrics_svc.evidence.rules import Revision


class Why(StrEnum):
    """What replaced an activity or a piece of evidence; the values are stable codes."""

    CORRECTED = "corrected"
    """The source posted a higher revision."""
    MOVED = "moved"
    """It belongs to another account now."""
    RENAMED = "renamed"
    """A person in it is now known by another id."""
    LATER_ACTIVITY = "later-activity"
    """Another activity of the account changed what it means: a reply, an answer, an order."""
    RULES = "rules"
    """The rules, the account's country or its calendar changed."""
    TIME = "time"
    """A deadline passed."""
    WITHDRAWN = "withdrawn"
    """A person took it back."""
    ERASED = "erased"
    """Somebody in it was erased; nothing else changed."""


@dataclass(frozen=True, slots=True)
class Word:
    """Who had something replaced by hand, and their reason."""

    author: str
    reason: str


@dataclass(frozen=True, slots=True)
class Cause:
    """Why evidence was replaced, and the activities whose change did it."""

    why: Why
    activity_ids: tuple[UUID, ...] = ()


def replaced(change: Change) -> Why | None:
    """Why an activity's earlier form was replaced; None when nothing is lost by forgetting that form.

    Nothing is lost of a first form, and when the account of something held back was found.
    """
    before, after = change.before, change.after
    if before is None or after is None or before == after:
        return None
    if before.revision != after.revision:
        return Why.CORRECTED
    if before.account_id != after.account_id:
        return Why.MOVED if before.account_id is not None else None
    return Why.RENAMED


def causes(revision: Revision, changes: Mapping[UUID, Change], accounts: Mapping[UUID, Sequence[Change]]) -> Cause:
    """Why evidence that stood was replaced, and the changed activities that did it.

    ``changes`` are those of the unit of work by activity, ``accounts`` the same by account. What evidence was derived
    from comes first, then what else happened with the account; without either, time did it.
    """
    was, now = revision.before or revision.evidence, revision.evidence
    own = [changes[id_] for id_ in dict.fromkeys((*was.activity_ids, *now.activity_ids)) if id_ in changes]
    near = own or accounts.get(now.slot.account_id, ())
    if not near:
        return Cause(Why.TIME)
    ids = tuple(_id(change) for change in near)
    whys = [why for why in map(replaced, own) if why is not None]
    if whys:
        return Cause(min(whys, key=list(Why).index), ids)
    anew = all(change.before is not None and change.before == change.after for change in near)
    return Cause(Why.RULES) if anew else Cause(Why.LATER_ACTIVITY, ids)


def _id(change: Change) -> UUID:
    activity = change.after or change.before
    assert activity is not None
    return activity.activity_id
