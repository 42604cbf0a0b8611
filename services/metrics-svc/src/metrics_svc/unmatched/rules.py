"""Whose a name may be: clues about accounts, weighed and ranked. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from metrics_svc.activities.rules import Reference
from metrics_svc.references.rules import akin, resemblance, stem

SHOWN = 5
_LEAST_RESEMBLANCE = 0.75
_SHORTEST_LABEL = 3
_SAME_ID = 0.8
_SAME_DOMAIN, _AKIN_DOMAIN, _SISTER_DOMAIN = 0.95, 0.9, 0.6
_BY_NAME = 0.7


@dataclass(frozen=True, slots=True)
class Clue:
    """Something that speaks for an account; ``score`` is 0 to 1, ``why`` people, same-id, domain or name."""

    account_id: UUID
    why: str
    score: float


@dataclass(frozen=True, slots=True)
class Suggestion:
    """An account that a name may mean, by its best clue; ``why`` names all its clues, the best first."""

    account_id: UUID
    score: float
    why: tuple[str, ...]


def label(reference: Reference) -> str | None:
    """What of a name may resemble a company's: a domain's stem, an external id; None when too short or a number."""
    found = stem(reference.value) if reference.kind == "domain" else reference.value
    worth_it = reference.kind != "id" and len(found) >= _SHORTEST_LABEL and not found.isnumeric()
    return found if worth_it else None


def by_people(account_id: UUID, known: int, people: int) -> Clue:
    """Of the people in what is held, how many are known at the account: from one half to all sure."""
    return Clue(account_id, "people", 0.5 + 0.5 * known / people)


def by_id(account_id: UUID) -> Clue:
    """Another source has this id for the account."""
    return Clue(account_id, "same-id", _SAME_ID)


def by_domain(account_id: UUID, wanted: str, known: str) -> Clue:
    """The account's domain is the same (and not its alone), lies within the wanted one or around it, or is a sister."""
    score = _SAME_DOMAIN if wanted == known else _AKIN_DOMAIN if akin(wanted, known) else _SISTER_DOMAIN
    return Clue(account_id, "domain", score)


def by_name(account_id: UUID, wanted: str, key: str) -> Clue | None:
    """The label looks like the account's name; None when it does not enough."""
    alike = resemblance(wanted, key)
    return Clue(account_id, "name", _BY_NAME * alike) if alike >= _LEAST_RESEMBLANCE else None


def suggestions(clues: Iterable[Clue]) -> Sequence[Suggestion]:
    """The accounts that clues speak for, the surest first, at most :data:`SHOWN`; the order of clues never matters."""
    found: dict[UUID, list[Clue]] = {}
    for clue in sorted(clues, key=lambda clue: (-clue.score, clue.why, clue.account_id)):
        found.setdefault(clue.account_id, []).append(clue)
    ranked = [
        Suggestion(account, round(known[0].score, 3), tuple(dict.fromkeys(clue.why for clue in known)))
        for account, known in found.items()
    ]
    return sorted(ranked, key=lambda one: (-one.score, one.account_id))[:SHOWN]
