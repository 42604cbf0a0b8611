"""What follows from what is told and from time: facts and evidence are kept, and each account is judged once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from bellwether_kit.db import UnitOfWork
from bellwether_kit.events import Received
from bellwether_kit.metrics import UNKNOWN_EVIDENCE
from scoring_svc.accounts import store as accounts_store
from scoring_svc.accounts.store import AccountFacts
from scoring_svc.consumed import (
    AccountChanged,
    AccountRemoved,
    CoverageChanged,
    EvidenceRecorded,
    EvidenceRetracted,
    MetricMeasured,
    PlanProgressed,
    StakeholderChanged,
    StakeholderRemoved,
    TouchRecorded,
)
from scoring_svc.evaluation import store
from scoring_svc.evaluation.rules import Books
from scoring_svc.health import store as health_store
from scoring_svc.health.rules import Account, Key
from scoring_svc.ledger import store as ledger_store
from scoring_svc.ledger.rules import dimension_index, worth
from scoring_svc.ledger.store import Entry, Recorded
from scoring_svc.measures import store as measures_store
from scoring_svc.measures.store import Report
from scoring_svc.situation import store as situation_store
from scoring_svc.situation.store import Person, PlanState, Thread

Heard = Received[EvidenceRecorded] | Received[EvidenceRetracted]
Fact = AccountFacts | Person | Report | Thread | PlanState


async def follow(uow: UnitOfWork, events: Sequence[Received[Any]]) -> None:
    """Keep all that a batch tells, and judge each account that it changes once.

    One handler for every type: what is judged between two pieces of one batch would open alerts that the other
    ends, and lock accounts in an order of its own.
    """
    told = _Told.by(events)
    accounts = await health_store.lock(uow.session, told.keys, uow.now)
    changed = await _keep_facts(uow, told, accounts)
    before = {key: accounts[key] for key in changed}
    accounts |= await health_store.claimed(uow.session, changed, uow.now) if changed else {}
    books = await store.books(uow, {tenant for tenant, _ in accounts})
    await _come_and_go(uow, before, accounts, books)
    entries = [_entry(event, accounts, books, uow.now.timestamp()) for event in told.evidence]
    recorded = await ledger_store.record(uow.session, entries)
    await _lock_former(uow, accounts, recorded)
    changed |= _fold(accounts, recorded, books)
    await store.settle(uow, [accounts[key] for key in sorted(changed)], books)


async def evaluate_due(uow: UnitOfWork, rows: Sequence[Row[Any]]) -> None:
    """Evaluate the accounts whose time has come; however late that is, once is enough."""
    accounts = await health_store.claimed(uow.session, [(row.tenant, str(row.account_id)) for row in rows], uow.now)
    await health_store.put_off(uow.session, [key for key, account in accounts.items() if account.removed])
    await store.settle(uow, accounts.values(), await store.books(uow, {row.tenant for row in rows}))


@dataclass(frozen=True, slots=True)
class _Told:
    """What a batch tells, by what it is about; of accounts, people and evidence only the newest of each."""

    accounts: Sequence[AccountFacts]
    people: Sequence[Person]
    reports: Sequence[Report]
    threads: Sequence[Thread]
    plans: Sequence[PlanState]
    evidence: Sequence[Heard]

    @classmethod
    def by(cls, events: Sequence[Received[Any]]) -> "_Told":
        """Sort events out by the models that they were read as."""
        found: dict[type, list[Received[Any]]] = {}
        for event in events:
            found.setdefault(type(event.data), []).append(event)

        def of(*models: type) -> list[Received[Any]]:
            return [event for model in models for event in found.get(model, ())]

        return cls(
            accounts_store.described(of(AccountChanged, AccountRemoved)),
            situation_store.people(of(StakeholderChanged, StakeholderRemoved)),
            measures_store.reports(of(TouchRecorded, MetricMeasured, CoverageChanged, PlanProgressed)),
            situation_store.threads(of(CoverageChanged)),
            situation_store.plans(of(PlanProgressed)),
            newest(of(EvidenceRecorded, EvidenceRetracted)),
        )

    @property
    def keys(self) -> set[Key]:
        """The accounts that the batch names."""
        facts = _keys(self.accounts, self.people, self.reports, self.plans)
        return facts | {(event.tenant, event.data.account_id.lower()) for event in self.evidence}


def _keys(*facts: Iterable[Fact]) -> set[Key]:
    """The accounts that facts are about."""
    return {(fact.tenant, fact.account_id) for each in facts for fact in each}


async def _keep_facts(uow: UnitOfWork, told: _Told, accounts: dict[Key, Account]) -> set[Key]:
    """Keep what is told of accounts beside evidence; gives those that it changes, the locked ones among `accounts`."""
    changed = set(await accounts_store.project(uow.session, told.accounts)) if told.accounts else set()
    await measures_store.keep(uow.session, told.reports)
    await situation_store.keep_threads(uow.session, told.threads)
    await situation_store.keep_plans(uow.session, told.plans)
    peopled = await situation_store.project_people(uow.session, told.people) if told.people else set()
    left = peopled - accounts.keys()  # accounts that somebody left for another one
    if left:
        accounts |= await health_store.lock(uow.session, left, uow.now)
    if peopled:
        await situation_store.sum_people(uow.session, peopled)
    await situation_store.remember(uow.session, _keys(told.threads, told.plans) | peopled, uow.now)
    return changed | _keys(told.reports, told.plans) | peopled


async def _come_and_go(
    uow: UnitOfWork, before: Mapping[Key, Account], accounts: Mapping[Key, Account], books: Mapping[str, Books]
) -> None:
    """See to accounts that were removed, or that are ours again."""
    changes = [(before[key], accounts[key]) for key in sorted(before) if before[key].removed != accounts[key].removed]
    await store.let_go(uow, [account for _, account in changes if account.removed])
    back = [account for _, account in changes if not account.removed]
    for account in back:
        account.said_score = None  # the topic has forgotten it: what it is now must be said
    # What was told of an account while it was gone is in the ledger only.
    await store.restore(uow, back, books)


def newest(events: Sequence[Heard]) -> list[Heard]:
    """The highest revision of each piece in the batch, in the order of the ledger's key."""
    kept: dict[Key, Heard] = {}
    for event in events:
        key = event.tenant, event.data.evidence_id.lower()
        known = kept.get(key)
        if known is None or _place(known) < _place(event):
            kept[key] = event
    return [kept[key] for key in sorted(kept)]


def _place(event: Heard) -> tuple[int, bool]:
    """Where an event stands among those of its piece: of one revision, the retraction is the last word."""
    return event.data.revision, isinstance(event.data, EvidenceRetracted)


def _entry(event: Heard, accounts: Mapping[Key, Account], books: Mapping[str, Books], now: float) -> Entry:
    data = event.data
    evidence_id, account_id = data.evidence_id.lower(), data.account_id.lower()
    if isinstance(data, EvidenceRetracted):
        at = event.time.timestamp()
        return Entry(event.tenant, evidence_id, account_id, at, 0.0, 0.0, data.revision, -1, True, False, "")
    book = books[event.tenant].of(accounts[event.tenant, account_id])
    dimension = dimension_index(data.dimension)
    observed = data.observed_at.timestamp()
    return Entry(
        event.tenant,
        evidence_id,
        account_id,
        observed,
        worth(book.card, data.kind, dimension, data.magnitude),
        data.magnitude,
        data.revision,
        dimension,
        False,
        observed <= now,
        data.kind,
    )


async def _lock_former(uow: UnitOfWork, accounts: dict[Key, Account], recorded: Iterable[Recorded]) -> None:
    """A correction may move evidence to another account: the one that had it changes too."""
    former = {(r.entry.tenant, r.before[0]) for r in recorded if r.before is not None} - accounts.keys()
    if former:
        accounts |= await health_store.lock(uow.session, former, uow.now)


def _fold(accounts: Mapping[Key, Account], recorded: Iterable[Recorded], books: Mapping[str, Books]) -> set[Key]:
    """Add what is new, take back what it replaces; gives the accounts for which something changed."""
    changed: set[Key] = set()
    for entry, before in recorded:
        if before is not None:
            former = accounts[entry.tenant, before[0]]
            former.balances.add(before[1], books[entry.tenant].of(former).card.half_lives, -1)
            former.stale = former.stale or former.memory.knows(before[1])
            changed.add(former.key)
        if entry.retracted:
            continue
        account = accounts[entry.tenant, entry.account_id]
        if not entry.piece.known:
            UNKNOWN_EVIDENCE.inc()
        changed.add(account.key)
        if entry.counted:
            book = books[entry.tenant].of(account)
            account.balances.add(entry.piece, book.card.half_lives)
            account.memory.remember(entry.piece, book.card.half_lives, book.tracked)
        else:
            pending = account.pending
            account.pending = entry.observed if pending is None else min(pending, entry.observed)
    return changed
