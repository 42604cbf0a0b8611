"""Who a person at the client is, and how a batch of changes settles against the people already known.

Pure: it knows no database, no HTTP and no clock; the time and new ids come in from the caller.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, NewType
from uuid import UUID

from stakeholder_svc.accounts.rules import ExternalId
from stakeholder_svc.grid.rules import Grid

PersonId = NewType("PersonId", UUID)
CLOCK_SKEW = timedelta(days=1)
"""How far ahead of ours a source's clock may be."""
MOST_EXTERNAL_IDS = 100
"""How many external ids a person may gather."""


class Role(StrEnum):
    """What a person is in the client's decisions."""

    ECONOMIC = "economic"
    TECHNICAL = "technical"
    USER = "user"
    PURCHASER = "purchaser"
    LEGAL = "legal"
    SPONSOR = "sponsor"


class Sentiment(StrEnum):
    """How a person stands towards us."""

    CHAMPION = "champion"
    SUPPORTER = "supporter"
    NEUTRAL = "neutral"
    DETRACTOR = "detractor"


class Certainty(StrEnum):
    """Whether we know what we say of a person, or believe it."""

    ASSUMED = "assumed"
    CONFIRMED = "confirmed"


class Status(StrEnum):
    """Whether a person is still there."""

    ACTIVE = "active"
    GONE = "gone"


class Rule(StrEnum):
    """What a refused change would have broken."""

    ACCOUNT_KNOWN = "account-known"
    ACCOUNT_STAYS = "account-stays"
    NAME_GIVEN = "name-given"
    REPORTS_TO_KNOWN = "reports-to-known"
    NO_CYCLE = "no-cycle"
    ONE_PERSON_PER_EXTERNAL_ID = "one-person-per-external-id"
    FEW_EXTERNAL_IDS = "few-external-ids"
    DATES_IN_REACH = "dates-in-reach"


@dataclass(frozen=True)
class Facts:
    """What we know of a person. ``assessed_by`` judged the sentiment, ``contacts`` are in touch: ours, by id."""

    name: str
    title: str | None = None
    email: str | None = None
    buying_centre: str | None = None
    reports_to: PersonId | None = None
    decision_roles: tuple[Role, ...] = ()
    budget_control: bool = False
    veto: bool = False
    sentiment: Sentiment = Sentiment.NEUTRAL
    sentiment_since: date | None = None
    assessed_by: UUID | None = None
    certainty: Certainty = Certainty.ASSUMED
    status: Status = Status.ACTIVE
    priorities: tuple[str, ...] = ()
    confidential_notes: str | None = None
    grid: Grid | None = None
    contacts: tuple[UUID, ...] = ()


@dataclass(frozen=True)
class Person:
    """One person whole. ``version`` counts the changes from 1 without gaps, also over an erasure."""

    id: PersonId
    account_id: UUID
    version: int
    created_at: datetime
    updated_at: datetime
    facts: Facts
    external_ids: frozenset[ExternalId] = frozenset()


@dataclass(frozen=True)
class Change:
    """What is said about a person: an absent fact stays as it is, None clears it or brings back its default.

    ``account`` and the fact ``reports_to`` are an id or an :class:`ExternalId`. The first of ``external_ids`` gives
    a new person its id. ``by`` is who says it, and judges what is judged.
    """

    facts: Mapping[str, Any]
    external_ids: tuple[ExternalId, ...] = ()
    account: UUID | ExternalId | None = None
    by: UUID | None = None


@dataclass(frozen=True)
class Refusal:
    """A change that would break ``rule``; ``pointer`` is the JSON pointer of the offending field."""

    rule: Rule
    detail: str
    pointer: str


class Result(StrEnum):
    """What became of a change."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REJECTED = "rejected"


@dataclass(frozen=True)
class Outcome:
    """What became of one change: the person after it, or why it was refused."""

    result: Result
    person: Person | None = None
    refusal: Refusal | None = None


@dataclass(frozen=True)
class Known:
    """What is on record about everything that a batch names.

    ``places`` has (account, reports-to) of every person that is named as a superior and of everybody above them;
    ``erased`` the last version of people that were erased.
    """

    people: Mapping[PersonId, Person]
    bearers: Mapping[ExternalId, PersonId]
    places: Mapping[PersonId, tuple[UUID, PersonId | None]]
    accounts: Mapping[UUID | ExternalId, UUID]
    erased: Mapping[PersonId, int]


NewId = Callable[[Change], UUID]


def settle(changes: Sequence[Change], known: Known, *, as_of: datetime, new_id: NewId) -> list[Outcome]:
    """Upsert each change in turn, by any of its external ids; a refused one leaves no trace.

    External ids are added, never taken away. Later changes see what earlier ones did, so a superior may come first
    in the same batch. One outcome per change, in order.
    """
    people, bearers, places = dict(known.people), dict(known.bearers), dict(known.places)
    known = Known(people, bearers, places, known.accounts, known.erased)
    outcomes = []
    for change in changes:
        outcome = _upsert(change, known, as_of, new_id)
        outcomes.append(outcome)
        person = outcome.person
        if person is not None:
            people[person.id] = person
            bearers.update(dict.fromkeys(person.external_ids, person.id))
            places[person.id] = (person.account_id, person.facts.reports_to)
    return outcomes


def _upsert(change: Change, known: Known, as_of: datetime, new_id: NewId) -> Outcome:
    bearers = {known.bearers[name] for name in change.external_ids if name in known.bearers}
    if len(bearers) > 1:
        return Outcome(Result.REJECTED, refusal=_taken("the external ids belong to different people"))
    if bearers:
        person = known.people[bearers.pop()]
        revised = revise(person, change, known, as_of)
        if isinstance(revised, Refusal):
            return Outcome(Result.REJECTED, refusal=revised)
        return Outcome(Result.UNCHANGED if revised is person else Result.UPDATED, revised)
    account_id = known.accounts.get(change.account) if change.account is not None else None
    if account_id is None:
        return Outcome(Result.REJECTED, refusal=_unknown_account())
    id_ = PersonId(new_id(change))
    blank = Person(id_, account_id, known.erased.get(id_, 0), as_of, as_of, Facts(name=""))
    created = revise(blank, change, known, as_of)
    if isinstance(created, Refusal):
        return Outcome(Result.REJECTED, refusal=created)
    return Outcome(Result.CREATED, created)


def revise(person: Person, change: Change, known: Known, as_of: datetime) -> Person | Refusal:
    """The person after ``change``, one version later; the very same object when nothing differs."""
    facts = _complete(person.facts, change, as_of)
    if "reports_to" in facts:
        superior = _superior(facts["reports_to"], person, known)
        if isinstance(superior, Refusal):
            return superior
        facts["reports_to"] = superior
    after = replace(person.facts, **facts)
    external_ids = person.external_ids | set(change.external_ids)
    broken = _broken(person, change, after, external_ids, known, as_of)
    if broken is not None:
        return broken
    if person.facts.name and after == person.facts and external_ids == person.external_ids:
        return person
    return replace(person, version=person.version + 1, updated_at=as_of, facts=after, external_ids=external_ids)


_DEFAULTS = {name: fact.default for name, fact in Facts.__dataclass_fields__.items() if name != "name"}
_JUDGEMENTS = ("sentiment", "certainty", "grid")


def _complete(before: Facts, change: Change, as_of: datetime) -> dict[str, Any]:
    """What is said and what follows from it: who judged, and that a new sentiment holds since today."""
    said = {name: _DEFAULTS.get(name) if fact is None else fact for name, fact in change.facts.items()}
    if any(name in said and said[name] != getattr(before, name) for name in _JUDGEMENTS):
        said.setdefault("assessed_by", change.by)
    if said.get("sentiment", before.sentiment) != before.sentiment:
        said.setdefault("sentiment_since", as_of.date())
    return said


def _superior(named: UUID | ExternalId | None, person: Person, known: Known) -> PersonId | Refusal | None:
    if named is None:
        return None
    found = known.bearers.get(named) if isinstance(named, ExternalId) else PersonId(named)
    place = known.places.get(found) if found is not None else None
    if found is None or place is None or place[0] != person.account_id:
        return Refusal(Rule.REPORTS_TO_KNOWN, "nobody at the account is known by this id", "/reports_to")
    return found


def _broken(
    person: Person, change: Change, facts: Facts, external_ids: frozenset[ExternalId], known: Known, as_of: datetime
) -> Refusal | None:
    if not facts.name:
        return Refusal(Rule.NAME_GIVEN, "a person needs a name", "/name")
    moved = _moved(person, change, known)
    if moved is not None:
        return moved
    if any(known.bearers.get(name, person.id) != person.id for name in external_ids):
        return _taken("an external id belongs to another person")
    if len(external_ids) > MOST_EXTERNAL_IDS:
        return Refusal(Rule.FEW_EXTERNAL_IDS, f"a person has {MOST_EXTERNAL_IDS} external ids at most", "/external_ids")
    if person.id in line_above(facts.reports_to, known.places):
        return Refusal(Rule.NO_CYCLE, "the superior is the person or reports to the person", "/reports_to")
    if facts.sentiment_since and facts.sentiment_since > (as_of + CLOCK_SKEW).date():
        return Refusal(Rule.DATES_IN_REACH, "a sentiment can't hold since a day to come", "/sentiment_since")
    return None


def _moved(person: Person, change: Change, known: Known) -> Refusal | None:
    if change.account is None:
        return None
    account_id = known.accounts.get(change.account)
    if account_id is None:
        return _unknown_account()
    if account_id != person.account_id:
        detail = "who changes company is a new person there: mark this one gone"
        return Refusal(Rule.ACCOUNT_STAYS, detail, "/account")
    return None


def without_superior(person: Person, as_of: datetime) -> Person:
    """The person once the superior is erased."""
    return replace(person, version=person.version + 1, updated_at=as_of, facts=replace(person.facts, reports_to=None))


def line_above(
    person_id: PersonId | None, places: Mapping[PersonId, tuple[UUID, PersonId | None]]
) -> Iterator[PersonId]:
    """The person and everybody above, nearest first."""
    while person_id is not None:
        yield person_id
        _, person_id = places.get(person_id, (None, None))


def _unknown_account() -> Refusal:
    return Refusal(Rule.ACCOUNT_KNOWN, "no account is known by this id (yet)", "/account")


def _taken(detail: str) -> Refusal:
    return Refusal(Rule.ONE_PERSON_PER_EXTERNAL_ID, detail, "/external_ids")
