"""How well the decision roles that matter are covered by people we know. Pure.

First form of coverage, 0 to 100: the mean over the required roles of the strength of the best active person in each,
times 100. Strength = certainty · influence; certainty is 1 when the role is confirmed and 0.5 when assumed; influence
rises with power from 0.5 (power 1) to 1 (power 5), and is 0.75 while power is not marked. A required role with nobody
in it has strength 0 and is missing. So a full score takes a confirmed, powerful person in every role, and knowing
somebody more, or somebody better, never lowers it.
"""

from collections.abc import Collection
from dataclasses import dataclass

DEFAULT_REQUIRED = ("economic", "technical", "user", "sponsor")
"""The roles that must be covered unless the tenant chose others."""

_CONFIRMED, _ASSUMED = 1.0, 0.5
_UNMARKED = 0.75


@dataclass(frozen=True, slots=True)
class Contact:
    """An active person as coverage sees it; ``power`` is 1 to 5, or None while it isn't marked."""

    roles: frozenset[str]
    power: int | None
    confirmed: bool


@dataclass(frozen=True, slots=True)
class Coverage:
    """The coverage of one account: 0 to 100, the required roles that nobody has, and how many people are active."""

    coverage: float
    missing_roles: tuple[str, ...]
    people: int


def strength(contact: Contact) -> float:
    """How firmly a person covers a role, 0.25 to 1."""
    influence = _UNMARKED if contact.power is None else 0.5 + 0.125 * (contact.power - 1)
    return (_CONFIRMED if contact.confirmed else _ASSUMED) * influence


def assess(contacts: Collection[Contact], required: Collection[str]) -> Coverage:
    """The coverage of the ``required`` roles (at least one) by the active people of an account."""
    best = {role: max((strength(c) for c in contacts if role in c.roles), default=0.0) for role in required}
    missing = tuple(sorted(role for role, value in best.items() if value == 0.0))
    return Coverage(round(100 * sum(best.values()) / len(best), 2), missing, len(contacts))
