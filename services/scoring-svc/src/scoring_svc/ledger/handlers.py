"""What follows when evidence is recorded, corrected or retracted: ledger, balances, and all that hangs on them."""

from collections.abc import Iterable, Mapping, Sequence

from bellwether_kit.db import UnitOfWork
from bellwether_kit.events import Received
from bellwether_kit.metrics import UNKNOWN_EVIDENCE
from scoring_svc.consumed import EvidenceRecorded, EvidenceRetracted
from scoring_svc.evaluation import store as evaluation_store
from scoring_svc.evaluation.rules import Books
from scoring_svc.health import store as health_store
from scoring_svc.health.rules import Account, Key
from scoring_svc.ledger import store
from scoring_svc.ledger.rules import dimension_index, worth
from scoring_svc.ledger.store import Entry, Recorded

Heard = Received[EvidenceRecorded] | Received[EvidenceRetracted]


async def fold_evidence(uow: UnitOfWork, events: Sequence[Heard]) -> None:
    """Record each revision once and evaluate each touched account once, however many events it got."""
    books = await evaluation_store.books(uow, {event.tenant for event in events})
    heard = newest(events)
    touched = {(event.tenant, event.data.account_id.lower()) for event in heard}
    accounts = await health_store.lock(uow.session, touched, uow.now)
    now = uow.now.timestamp()
    entries = [_entry(event, accounts, books, now) for event in heard]
    recorded = await store.record(uow.session, entries)
    await _lock_former(uow, accounts, recorded)
    news = _fold(accounts, recorded, books)
    await evaluation_store.settle(uow, news, books)


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


def _fold(accounts: dict[Key, Account], recorded: Iterable[Recorded], books: Mapping[str, Books]) -> list[Account]:
    """Add what is new, take back what it replaces; gives the accounts for which something changed."""
    changed: dict[Key, Account] = {}
    for entry, before in recorded:
        if before is not None:
            former = accounts[entry.tenant, before[0]]
            former.balances.add(before[1], books[entry.tenant].of(former).card.half_lives, -1)
            former.stale = former.stale or former.memory.knows(before[1])
            changed[former.key] = former
        if entry.retracted:
            continue
        account = accounts[entry.tenant, entry.account_id]
        if not entry.piece.known:
            UNKNOWN_EVIDENCE.inc()
        changed[account.key] = account
        if entry.counted:
            book = books[entry.tenant].of(account)
            account.balances.add(entry.piece, book.card.half_lives)
            account.memory.remember(entry.piece, book.card.half_lives, book.tracked)
        else:
            pending = account.pending
            account.pending = entry.observed if pending is None else min(pending, entry.observed)
    return [changed[key] for key in sorted(changed)]
