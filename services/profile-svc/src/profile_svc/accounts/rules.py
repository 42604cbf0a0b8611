"""What an account is, and how a batch of changes settles against the accounts already known.

Pure: it knows no database, no HTTP and no clock; the time and new ids come in from the caller.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, NewType, TypeAlias
from uuid import UUID

AccountId = NewType("AccountId", UUID)
CLOCK_SKEW = timedelta(days=1)
"""How far ahead of ours a source's clock may be."""
HORIZON = timedelta(days=50 * 365)
"""How far ahead a contract may reach."""
MOST_EXTERNAL_IDS = 100
"""How many external ids an account may gather; far more than source systems have duplicates."""


class Status(StrEnum):
    """Where the account stands with us."""

    PROSPECT = "prospect"
    ACTIVE = "active"
    INACTIVE = "inactive"


class AccountType(StrEnum):
    """How we have chosen to treat the account."""

    STANDARD = "standard"
    KEY = "key"
    STRATEGIC = "strategic"


class Tier(StrEnum):
    """How much attention the account gets; A the most."""

    A = "A"
    B = "B"
    C = "C"


class Rule(StrEnum):
    """What a refused change would have broken."""

    NAME_GIVEN = "name-given"
    CONTRACT_IN_ORDER = "contract-in-order"
    DATES_IN_REACH = "dates-in-reach"
    PARENT_KNOWN = "parent-known"
    NO_CYCLE = "no-cycle"
    ONE_ACCOUNT_PER_EXTERNAL_ID = "one-account-per-external-id"
    FEW_EXTERNAL_IDS = "few-external-ids"


@dataclass(frozen=True, order=True)
class ExternalId:
    """The account's name in a source system: unique within the tenant."""

    source: str
    external_id: str


@dataclass(frozen=True)
class Money:
    """An amount in an ISO 4217 currency."""

    amount: Decimal
    currency: str


@dataclass(frozen=True)
class Profile:
    """The facts about an account.

    ``owner``: our user's lower-case e-mail; ``cadence_days``: longest gap we accept; ``whitespace``: unsold, a year.
    """

    name: str
    known_since: datetime
    status: Status = Status.ACTIVE
    account_type: AccountType = AccountType.STANDARD
    tier: Tier | None = None
    industry: str | None = None
    territory: str | None = None
    country: str | None = None
    currency: str | None = None
    parent_id: AccountId | None = None
    owner: str | None = None
    cadence_days: float | None = None
    contract_start: date | None = None
    contract_end: date | None = None
    renewal_at: datetime | None = None
    yearly_value: Money | None = None
    whitespace: Money | None = None
    email_domains: tuple[str, ...] = ()


@dataclass(frozen=True)
class Origin:
    """Who last changed a fact (a source system, or ``api``), and when."""

    source: str
    at: datetime


@dataclass(frozen=True)
class Account:
    """One account whole. ``version`` counts its changes from 1 without gaps."""

    id: AccountId
    version: int
    created_at: datetime
    updated_at: datetime
    profile: Profile
    external_ids: frozenset[ExternalId] = frozenset()
    origins: Mapping[str, Origin] = field(default_factory=dict)


Fact: TypeAlias = str | float | date | Money | UUID | ExternalId | tuple[str, ...] | None


@dataclass(frozen=True)
class Change:
    """What a source says about an account: a fact that is absent stays as it is, None clears it or
    brings back its default.

    The fact ``parent_id`` may be an account's id or its :class:`ExternalId`.
    """

    source: str
    facts: Mapping[str, Fact]
    external_ids: frozenset[ExternalId] = frozenset()


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
    """What became of one change: the account after it, or why it was refused."""

    result: Result
    account: Account | None = None
    refusal: Refusal | None = None


@dataclass(frozen=True)
class Known:
    """What is on record about everything that a batch names.

    ``parents`` holds the whole line of ancestors of every account that the batch names as a parent.
    """

    accounts: Mapping[AccountId, Account]
    bearers: Mapping[ExternalId, AccountId]
    parents: Mapping[AccountId, AccountId | None]


def settle(changes: Sequence[Change], known: Known, *, as_of: datetime, ids: Iterator[UUID]) -> list[Outcome]:
    """Upsert each change in turn, by any of its external ids; a refused one leaves no trace.

    A change without a known external id makes a new account. External ids are added, never taken away. Later
    changes see what earlier ones did, so a parent may come first in the same batch. One outcome per change,
    in order.
    """
    accounts, bearers, parents = dict(known.accounts), dict(known.bearers), dict(known.parents)
    known = Known(accounts, bearers, parents)
    outcomes = []
    for change in changes:
        outcome = _upsert(change, known, as_of, ids)
        outcomes.append(outcome)
        if outcome.account is not None:
            accounts[outcome.account.id] = outcome.account
            bearers.update(dict.fromkeys(outcome.account.external_ids, outcome.account.id))
            parents[outcome.account.id] = outcome.account.profile.parent_id
    return outcomes


def _upsert(change: Change, known: Known, as_of: datetime, ids: Iterator[UUID]) -> Outcome:
    bearers = {known.bearers[name] for name in change.external_ids if name in known.bearers}
    if len(bearers) > 1:
        return _rejected(_taken("the external ids belong to different accounts"))
    if bearers:
        account = known.accounts[bearers.pop()]
        whole = replace(change, external_ids=account.external_ids | change.external_ids)
        revised = revise(account, whole, known, as_of)
        if isinstance(revised, Refusal):
            return _rejected(revised)
        return Outcome(Result.UNCHANGED if revised is account else Result.UPDATED, revised)
    blank = Account(AccountId(next(ids)), 0, as_of, as_of, Profile(name="", known_since=as_of))
    created = revise(blank, change, known, as_of)
    return _rejected(created) if isinstance(created, Refusal) else Outcome(Result.CREATED, created)


def revise(account: Account, change: Change, known: Known, as_of: datetime) -> Account | Refusal:
    """The account after ``change``, one version later; the very same object when nothing differs.

    ``change.external_ids`` is the whole set afterwards.
    """
    parent = _parent(change.facts.get("parent_id"), known)
    if isinstance(parent, Refusal):
        return parent
    facts = dict(change.facts)
    if "parent_id" in facts:
        facts["parent_id"] = parent
    if "known_since" in facts and facts["known_since"] is None:
        facts["known_since"] = account.created_at
    changed: dict[str, Any] = {n: fact for n, fact in facts.items() if getattr(account.profile, n) != fact}
    profile = replace(account.profile, **changed)
    broken = _broken(account.id, profile, change.external_ids, known, as_of)
    if broken is not None:
        return broken
    if account.version and not changed and change.external_ids == account.external_ids:
        return account
    return replace(
        account,
        version=account.version + 1,
        updated_at=as_of,
        profile=profile,
        external_ids=change.external_ids,
        origins={**account.origins, **dict.fromkeys(changed, Origin(change.source, as_of))},
    )


def _parent(named: Fact, known: Known) -> AccountId | Refusal | None:
    if named is None:
        return None
    found = known.bearers.get(named) if isinstance(named, ExternalId) else named
    if not isinstance(found, UUID) or found not in known.parents:
        return Refusal(Rule.PARENT_KNOWN, "no account is known by the parent's id", "/parent")
    return AccountId(found)


def _broken(
    account_id: AccountId,
    profile: Profile,
    external_ids: frozenset[ExternalId],
    known: Known,
    as_of: datetime,
) -> Refusal | None:
    if not profile.name:
        return Refusal(Rule.NAME_GIVEN, "an account needs a name", "/name")
    if any(known.bearers.get(name, account_id) != account_id for name in external_ids):
        return _taken("an external id belongs to another account")
    if len(external_ids) > MOST_EXTERNAL_IDS:
        detail = f"an account has {MOST_EXTERNAL_IDS} external ids at most"
        return Refusal(Rule.FEW_EXTERNAL_IDS, detail, "/external_ids")
    if account_id in ancestry(profile.parent_id, known.parents):
        return Refusal(Rule.NO_CYCLE, "the parent is the account itself or one of its descendants", "/parent")
    return _misdated(profile, as_of)


def _misdated(profile: Profile, as_of: datetime) -> Refusal | None:
    start, end, renewal = profile.contract_start, profile.contract_end, profile.renewal_at
    if start and end and end < start:
        detail = f"the contract ends on {end}, before it starts on {start}"
        return Refusal(Rule.CONTRACT_IN_ORDER, detail, "/contract_end")
    if profile.known_since > as_of + CLOCK_SKEW:
        return Refusal(Rule.DATES_IN_REACH, "an account can't be known since a time to come", "/known_since")
    days = {"contract_start": start, "contract_end": end, "renewal_at": renewal.date() if renewal else None}
    for name, day in days.items():
        if day and day > as_of.date() + HORIZON:
            return Refusal(Rule.DATES_IN_REACH, "more than 50 years ahead: leave it out", f"/{name}")
    return None


def ancestry(account_id: AccountId | None, parents: Mapping[AccountId, AccountId | None]) -> list[AccountId]:
    """The account and its ancestors, nearest first."""
    line: list[AccountId] = []
    while account_id is not None:
        line.append(account_id)
        account_id = parents.get(account_id)
    return line


def _taken(detail: str) -> Refusal:
    return Refusal(Rule.ONE_ACCOUNT_PER_EXTERNAL_ID, detail, "/external_ids")


def _rejected(refusal: Refusal) -> Outcome:
    return Outcome(Result.REJECTED, refusal=refusal)
