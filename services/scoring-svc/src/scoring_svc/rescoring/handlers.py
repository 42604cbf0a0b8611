"""What a run does with each page of accounts: all in one transaction, with the place it has come to."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import structlog
from sqlalchemy import Row

from bellwether_kit.db import UnitOfWork
from bellwether_kit.metrics import BALANCE_DRIFT, DRIFTED_ACCOUNTS
from scoring_svc.evaluation import store as evaluation_store
from scoring_svc.evaluation.rules import Books
from scoring_svc.health import store as health_store
from scoring_svc.health.rules import Account
from scoring_svc.ledger import store as ledger_store
from scoring_svc.rescoring import store
from scoring_svc.rescoring.rules import TOLERANCE, drift
from scoring_svc.rescoring.store import Step

log = structlog.get_logger(__name__)


async def go_on(uow: UnitOfWork, rows: Sequence[Row[Any]]) -> None:
    """Take each run one page further."""
    for run in rows:
        ids = await store.page(uow.session, run.tenant, run.position)
        accounts = await health_store.lock(uow.session, [(run.tenant, id_) for id_ in ids], uow.now) if ids else {}
        present = [account for account in accounts.values() if not account.removed]
        books = await evaluation_store.books(uow, {run.tenant})
        step = await _STEPS[run.cause](uow, present, books)
        if await store.advance(uow.session, run, ids, uow.now, step) and run.cause == "audit":
            await store.forget_audits(uow.session, run.tenant, uow.now)
            await store.audit_later(uow.session, {run.tenant}, uow.now)


async def _recarded(uow: UnitOfWork, accounts: Collection[Account], books: Mapping[str, Books]) -> Step:
    """Score those anew whose score another scorecard made."""
    others = [account for account in accounts if not books[account.tenant].made(account)]
    await evaluation_store.settle(uow, others, books)
    return Step(len(others))


async def _rebuilt(uow: UnitOfWork, accounts: Collection[Account], books: Mapping[str, Books]) -> Step:
    """Sum all of them anew."""
    for account in accounts:
        account.recount = True
    await evaluation_store.settle(uow, accounts, books)
    return Step(len(accounts))


async def _audited(uow: UnitOfWork, accounts: Collection[Account], books: Mapping[str, Books]) -> Step:
    """Compare with the exact sums, and mend what is too far from them. It never should be: somebody must look."""
    now = uow.now.timestamp()
    checked = [account for account in accounts if books[account.tenant].made(account)]
    half_lives = {a.key: books[a.tenant].of(a).card.half_lives for a in checked}
    exact = await ledger_store.balances(uow.session, half_lives, uow.now)
    drifts = {a.key: drift(a.balances, exact[a.key], half_lives[a.key], now) for a in checked}
    apart = [account for account in checked if drifts[account.key] > TOLERANCE]
    for account in apart:
        log.error("balances.drifted", tenant=account.tenant, account=account.account_id, drift=drifts[account.key])
        account.recount = True
    await evaluation_store.settle(uow, apart, books)
    widest = max(drifts.values(), default=0.0)
    BALANCE_DRIFT.observe(widest)
    DRIFTED_ACCOUNTS.inc(len(apart))
    return Step(len(apart), widest, len(apart))


_STEPS = {"publish": _recarded, "retire": _recarded, "rebuild": _rebuilt, "audit": _audited}
