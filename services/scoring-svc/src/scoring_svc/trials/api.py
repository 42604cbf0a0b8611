"""The route that tries a scorecard on every account; nothing is written."""

import asyncio
from typing import Annotated, Final
from uuid import UUID

from fastapi import Depends

from bellwether_kit.http import Call, ResponseModel, requires
from bellwether_kit.http import router as routes
from bellwether_kit.ids import uuid7
from scoring_svc.alerts import store as alerts_store
from scoring_svc.errors import SegmentsOverlap
from scoring_svc.evaluation import store as evaluation_store
from scoring_svc.evaluation.rules import Books
from scoring_svc.health import store as health_store
from scoring_svc.health.rules import Account
from scoring_svc.scorecards import store as scorecards_store
from scoring_svc.scorecards.store import card_in, segment_of
from scoring_svc.trials import store
from scoring_svc.trials.rules import Spread, Trial, as_it_is, as_it_would_be

router = routes(tags=["scorecards"])

PAGE: Final = 100
"""Accounts read at once; other requests go on between."""


class SpreadView(ResponseModel):
    """How accounts lie: per band, and per tenth of the scores (0-10, 10-20, …), unknown health left out."""

    mean: float | None
    bands: dict[str, int]
    tenths: list[int]


class Move(ResponseModel):
    """How many accounts would go from one band to another."""

    from_band: str
    to_band: str
    accounts: int


class AccountChange(ResponseModel):
    """An account that would be in another band, or whose alerts (by kind) would open or resolve."""

    account_id: UUID
    account_name: str | None
    score: float
    band: str
    new_score: float
    new_band: str
    opens: list[str]
    resolves: list[str]


class DryRun(ResponseModel):
    """What the scorecard would make of all accounts; `affected` are those that it would score.

    `changes` names the 200 accounts whose score changes most, of `changes_total` that change band or alerts.
    """

    accounts: int
    affected: int
    before: SpreadView
    after: SpreadView
    moves: list[Move]
    opens: dict[str, int]
    resolves: dict[str, int]
    changes: list[AccountChange]
    changes_total: int


@router.post("/scorecards/{scorecard_id}/dry-run", response_model=DryRun, operation_id="try-scorecard")
async def try_scorecard(scorecard_id: UUID, call: Annotated[Call, Depends(requires("health:admin"))]) -> DryRun:
    """Score every account as if the scorecard were in force, from all its evidence; nothing is written.

    Takes some seconds for ten thousand accounts; one at a time per tenant and process, others wait.
    """
    async with call.turn("dry-run"):
        async with call.rehearsal() as uow:
            row = await scorecards_store.one(uow.session, call.tenant, scorecard_id)
            books = (await evaluation_store.books(uow, {call.tenant}))[call.tenant]
        segment, card = segment_of(row.segment), card_in(row)
        if (other := books.cards.overlapping(card.name, segment)) is not None:
            detail = f"The scorecard {other.name}, which is in force, is for some of the same accounts."
            raise SegmentsOverlap(detail, pointer="/segment", scorecard=other.name)
        supposed = Books(books.cards.replaced(segment, card), books.rules, books.tracked)
        trial, after = Trial(), UUID(int=0)
        while ids := await _page(call, trial, books, supposed, after):
            after = UUID(ids[-1])
    return _view(trial)


async def _page(call: Call, trial: Trial, books: Books, supposed: Books, after: UUID) -> list[str]:
    """Try the next accounts; gives their ids."""
    as_of = call.now.timestamp()
    async with call.read() as session:
        ids = await store.page(session, call.tenant, after, PAGE)
        keys = [(call.tenant, id_) for id_ in ids]
        accounts = await health_store.seen(session, keys, call.now) if ids else {}
        alerts = await alerts_store.current(session, keys) if ids else {}
        changed = {a.account_id for a in accounts.values() if _card(books, a) != _card(supposed, a)}
        others = {a.account_id for a in accounts.values() if not books.made(a)}
        pieces = await store.evidence(session, call.tenant, changed | others, call.now)
    for key, account in accounts.items():
        current = {kind: held.alert for kind, held in alerts.get(key, {}).items()}
        id_ = account.account_id
        if id_ in others:  # its turn to be scored by what is in force now has not come
            now = as_it_would_be(account, books.of(account), pieces[id_], current, as_of, uuid7)
        else:
            now = as_it_is(account, books.of(account), current, as_of, uuid7)
        if id_ in changed:
            trial.affected += 1
            then = as_it_would_be(account, supposed.of(account), pieces[id_], current, as_of, uuid7)
            trial.add(account, now, then)
        else:
            trial.add(account, now, now)
    await asyncio.sleep(0)
    return ids


def _card(books: Books, account: Account) -> tuple[str, int]:
    card = books.of(account).card
    return card.name, card.version


def _view(trial: Trial) -> DryRun:
    return DryRun(
        accounts=trial.accounts,
        affected=trial.affected,
        before=_spread(trial.before),
        after=_spread(trial.after),
        moves=[Move(from_band=a, to_band=b, accounts=n) for (a, b), n in sorted(trial.moves.items())],
        opens=dict(trial.opens),
        resolves=dict(trial.resolves),
        changes=[
            AccountChange(
                account_id=UUID(each.account_id),
                account_name=each.name,
                score=each.score,
                band=each.band,
                new_score=each.new_score,
                new_band=each.new_band,
                opens=list(each.opens),
                resolves=list(each.resolves),
            )
            for each in trial.largest
        ],
        changes_total=trial.different,
    )


def _spread(spread: Spread) -> SpreadView:
    return SpreadView(mean=spread.mean, bands=dict(spread.bands), tenths=spread.tenths)
