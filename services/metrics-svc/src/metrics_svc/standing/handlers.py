"""What happens when accounts' standing, or the bets on a tenant's people, are to be computed again."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Row

from bellwether_kit.db import UnitOfWork
from metrics_svc.standing import store
from metrics_svc.standing.rules import JUDGED, WINDOWS, Facts, KindSum, interval, jeopardy, lifts

AGAIN = timedelta(days=1)
"""Silence grows and evidence leaves its window without anything happening."""
SETTLE = timedelta(minutes=10)
"""How long balances may change before the bets made of them are computed again."""


async def stand(uow: UnitOfWork, rows: Sequence[Row[Any]]) -> None:
    """Compute balances and jeopardy of the accounts that are due."""
    found = await store.facts(uow.session, [(row.tenant, row.account_id) for row in rows], uow.now)
    judged = [(row, [] if row.removed else jeopardy(_facts(row, uow.now))) for row in found]
    await store.keep(uow.session, judged, uow.now, AGAIN)
    known = {(row.tenant, row.account_id) for row in found}
    await store.forget(uow.session, [key for row in rows if (key := (row.tenant, row.account_id)) not in known])
    await store.expect_bets(uow.session, {tenant for tenant, _ in known}, uow.now + SETTLE)


def _facts(row: Row[Any], now: datetime) -> Facts:
    last: datetime | None = row.last_two_way_at
    return Facts(
        balance=float(row.balances[WINDOWS.index(JUDGED)]),
        earlier=float(row.earlier or 0),
        overall=row.overall,
        kinds=[KindSum(kind, n, total) for kind, n, total in row.kinds or ()],
        silent_days=None if last is None else (now - last) / timedelta(days=1),
        cadence_days=row.cadence_days,
        tier=row.tier,
    )


async def bet(uow: UnitOfWork, rows: Sequence[Row[Any]]) -> None:
    """Compute the bets of the tenants that are due."""
    for tenant in sorted(row.tenant for row in rows):
        balances = await store.balances(uow.session, tenant)
        every = {row.days: row.n for row in balances if row.scope == "all"}
        kinds = {days: await store.kinds(uow.session, tenant, days, uow.now) for days in every}
        bets = []
        for row in balances:
            low, high = interval(row.n, row.mean, row.deviation) or (None, None)
            known = kinds[row.days]
            lifted = lifts(known.get((row.scope, row.member), []), row.n, known.get(("all", ""), []), every[row.days])
            names = ("scopes", "windows", "members", "accounts", "means", "lows", "highs", "kinds")
            values = (row.scope, row.days, row.member, row.n, row.mean, low, high, msgspec.json.encode(lifted).decode())
            bets.append(dict(zip(names, values, strict=True)))
        await store.keep_bets(uow.session, tenant, bets, uow.now)
