"""What follows when evidence is recorded, corrected or retracted: ledger, balances, and all that hangs on them."""

from collections.abc import Iterable, Sequence

from bellwether_kit.db import UnitOfWork
from bellwether_kit.events import Received
from scoring_svc.consumed import EvidenceRecorded, EvidenceRetracted
from scoring_svc.evaluation import store as evaluation_store
from scoring_svc.evaluation.rules import Book
from scoring_svc.health import store as health_store
from scoring_svc.health.rules import Account, Key
from scoring_svc.ledger import store
from scoring_svc.ledger.rules import dimension_index, worth
from scoring_svc.ledger.store import Entry, Recorded

Heard = Received[EvidenceRecorded] | Received[EvidenceRetracted]


async def fold_evidence(uow: UnitOfWork, events: Sequence[Heard]) -> None:
    """Record each revision once and evaluate each touched account once, however many events it got."""
    books = await evaluation_store.books(uow, {event.tenant for event in events})
    entries = newest(events, books, uow.now.timestamp())
    touched = {(entry.tenant, entry.account_id) for entry in entries}
    accounts = await health_store.lock(uow.session, touched, uow.now)
    recorded = await store.record(uow.session, entries)
    await _lock_former(uow, accounts, recorded)
    news = _fold(accounts, recorded, books)
    await evaluation_store.settle(uow, news, books)


def newest(events: Sequence[Heard], books: dict[str, Book], now: float) -> list[Entry]:
    """The highest revision of each piece in the batch, in the order of the ledger's key."""
    kept: dict[Key, Entry] = {}
    for event in events:
        data = event.data
        key = event.tenant, data.evidence_id
        retracted = isinstance(data, EvidenceRetracted)
        known = kept.get(key)
        if known is not None and (known.revision, known.retracted) >= (data.revision, retracted):
            continue
        kept[key] = _entry(event, books[event.tenant], now)
    return [kept[key] for key in sorted(kept)]


def _entry(event: Heard, book: Book, now: float) -> Entry:
    data = event.data
    if isinstance(data, EvidenceRetracted):
        return Entry(event.tenant, data.account_id, data.evidence_id, data.revision, True, event.time)
    dimension = dimension_index(data.dimension)
    return Entry(
        event.tenant,
        data.account_id,
        data.evidence_id,
        data.revision,
        False,
        data.observed_at,
        data.kind,
        dimension,
        data.magnitude,
        worth(book.card, data.kind, dimension, data.magnitude),
        data.observed_at.timestamp() <= now,
    )


async def _lock_former(uow: UnitOfWork, accounts: dict[Key, Account], recorded: Iterable[Recorded]) -> None:
    """A correction may move evidence to another account: the one that had it changes too."""
    former = {(r.entry.tenant, r.before[0]) for r in recorded if r.before is not None} - accounts.keys()
    if former:
        accounts |= await health_store.lock(uow.session, former, uow.now)


def _fold(accounts: dict[Key, Account], recorded: Iterable[Recorded], books: dict[str, Book]) -> list[Account]:
    """Add what is new, take back what it replaces; gives the accounts for which something changed."""
    changed: dict[Key, Account] = {}
    for entry, before in recorded:
        book = books[entry.tenant]
        half_lives = book.card.half_lives
        if before is not None:
            former = accounts[entry.tenant, before[0]]
            former.balances.add(before[1], half_lives, -1)
            former.stale = former.stale or former.memory.knows(before[1])
            changed[former.key] = former
        if entry.retracted:
            continue
        account = accounts[entry.tenant, entry.account_id]
        changed[account.key] = account
        if entry.counted:
            account.balances.add(entry.piece, half_lives)
            account.memory.remember(entry.piece, half_lives, book.tracked)
        else:
            at = entry.observed_at.timestamp()
            account.pending = at if account.pending is None else min(account.pending, at)
    return [changed[key] for key in sorted(changed)]
