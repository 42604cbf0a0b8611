"""How well the decision roles that matter are covered by people we know. Pure.

First form of coverage, 0 to 100: the mean over the required roles of the strength of the best active person in each,
times 100. Strength = certainty · influence; certainty is 1 when the role is confirmed and 0.5 when assumed; influence
rises with power from 0.5 (power 1) to 1 (power 5), and is 0.75 while power is not marked. A required role with nobody
in it has strength 0 and is missing. So a full score takes a confirmed, powerful person in every role, and knowing
somebody more, or somebody better, never lowers it.

The share that hangs by a single thread, 0 to 100: of the influence of the active people with whom anybody of ours is in
touch, what is in touch with nobody but the one of ours whose leaving would cost most. 100 when one of us knows them all
alone, 0 when everybody is known to two of us.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

DEFAULT_REQUIRED = ("economic", "technical", "user", "sponsor")
"""The roles that must be covered unless the tenant chose others."""

_CONFIRMED, _ASSUMED = 1.0, 0.5
_UNMARKED = 0.75


@dataclass(frozen=True, slots=True)
class Contact:
    """An active person as coverage sees it; ``power`` is 1 to 5, or None while it isn't marked.

    ``ours`` are the opaque ids of those of us who are in touch with the person.
    """

    roles: frozenset[str]
    power: int | None
    confirmed: bool
    ours: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True)
class Coverage:
    """The coverage of one account: 0 to 100, the required roles that nobody has, and how many people are active.

    ``thread_share`` is the share that hangs by a single thread, None where nobody said who of us is in touch.
    """

    coverage: float
    missing_roles: tuple[str, ...]
    people: int
    thread_share: float | None = None


def influence(contact: Contact) -> float:
    """How much a person counts, 0.5 to 1."""
    return _UNMARKED if contact.power is None else 0.5 + 0.125 * (contact.power - 1)


def strength(contact: Contact) -> float:
    """How firmly a person covers a role, 0.25 to 1."""
    return (_CONFIRMED if contact.confirmed else _ASSUMED) * influence(contact)


def thread_share(contacts: Collection[Contact]) -> float | None:
    """The largest share, 0 to 100, of the influence in our reach that one of ours holds alone; None without reach."""
    reach = sum(influence(contact) for contact in contacts if contact.ours)
    if not reach:
        return None
    alone: dict[UUID, float] = defaultdict(float)
    for contact in contacts:
        if len(contact.ours) == 1:
            alone[next(iter(contact.ours))] += influence(contact)
    return round(100 * max(alone.values(), default=0.0) / reach, 2)


def assess(contacts: Collection[Contact], required: Collection[str]) -> Coverage:
    """The coverage of the ``required`` roles (at least one) by the active people of an account."""
    best = {role: max((strength(c) for c in contacts if role in c.roles), default=0.0) for role in required}
    missing = tuple(sorted(role for role, value in best.items() if value == 0.0))
    covered = round(100 * sum(best.values()) / len(best), 2)
    return Coverage(covered, missing, len(contacts), thread_share(contacts))
