"""What a running backtest does, step by step: look at a page of accounts, model a date's purchases, judge it all.

Each step is one transaction. What takes long is done in a thread, so that the worker's other loops go on.
"""

import asyncio
from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import Any, Final

import msgspec
import structlog
from sqlalchemy import Row

from bellwether_kit.db import UnitOfWork
from bellwether_kit.events.batches import is_transient
from scoring_svc.backtests import store
from scoring_svc.backtests.rules import (
    BASELINES,
    FITTED,
    SCORECARD,
    Asked,
    Case,
    Change,
    Fit,
    midnight,
    part,
    report,
    taught,
)
from scoring_svc.backtests.store import Known, Looked
from scoring_svc.bgnbd.rules import Buyer, expected, fitted
from scoring_svc.fitting.rules import Past, Table, proposed, score_under, split, table
from scoring_svc.proof.rules import brier, too_few
from scoring_svc.retrospect.rules import look
from scoring_svc.scorecards import store as scorecards_store
from scoring_svc.scorecards.rules import MEASURES, Scorecard, Segment, configuration_of
from scoring_svc.scorecards.tables import ScorecardRow

MOST_MODELLED: Final = 1_000
"""Clients from whose purchases those of all are modelled: four numbers need no more."""
SHRINKAGES: Final = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
FOLDS: Final = 5
NOT_INSTALLED: Final = "fit-not-installed"
NOT_CONFIRMED: Final = "scorecard-not-confirmed"
NOTHING_BETTER: Final = "nothing-to-change"

log = structlog.get_logger(__name__)


async def work_on(uow: UnitOfWork, rows: Sequence[Row[Any]]) -> None:
    """Take each backtest one step further; one that can't go on has failed and keeps the others from nothing."""
    for row in rows:
        try:
            async with uow.attempt():
                await _step(uow, row)
        except Exception as error:
            if is_transient(error):
                raise
            log.exception("backtest.failed", tenant=row.tenant, backtest=str(row.backtest_id))
            await store.end(uow.session, row.tenant, row.backtest_id, "failed", uow.now, problem="unexpected")


async def _step(uow: UnitOfWork, row: Row[Any]) -> None:
    asked = store.asked_of(row)
    if row.modelled is None:
        await _look(uow, row, asked)
    elif row.modelled < len(asked.dates):
        await _model(uow, row, asked)
    else:
        await _judge(uow, row, asked)


async def _look(uow: UnitOfWork, row: Row[Any], asked: Asked) -> None:
    """See how the next accounts looked at each date, and what became of them."""
    cards = store.cards_of(row)
    segment = Segment() if asked.scorecard == "current" else store.first_segment(row)
    page = await store.page(uow.session, row, asked.until)
    if not page:
        await store.advance(uow.session, row, uow.now, position=row.position, modelled=0)
        return

    def looked() -> list[Looked]:
        places = [(known, (known.tier, known.industry, known.territory)) for known in page]
        return [case for known, at in places if segment.holds(*at) for case in _cases(asked, cards.of(*at), known)]

    await store.keep(uow.session, row, await asyncio.to_thread(looked))
    await store.advance(uow.session, row, uow.now, position=page[-1].account_id, accounts=len(page), modelled=None)


def _cases(asked: Asked, card: Scorecard, known: Known) -> list[Looked]:
    cases = []
    for day in asked.dates:
        seen = look(card, known.history, midnight(day), known.cadence_days, asked.counted)
        lost = asked.became_lost(day, known.history, known.losses)
        if seen is None or seen.acts < asked.min_acts or lost is None:
            continue
        measures = sums = None
        if asked.fit:
            measures = msgspec.json.encode(seen.measures).decode()
            sums = msgspec.json.encode([[*key, amount] for key, amount in seen.sums.items()]).decode()
        repeats, last, watched = seen.buyer or (None, None, None)
        fields = (day, known.account_id, lost, seen.score, seen.acts, seen.silence, repeats, last, watched)
        cases.append(Looked(*fields, seen.cap, measures, sums))
    return cases


async def _model(uow: UnitOfWork, row: Row[Any], asked: Asked) -> None:
    """Foretell the purchases of one date's clients by the model that fits what all of them had bought until then."""
    day = asked.dates[row.modelled]
    bought = {
        buyer.account: Buyer(buyer.repeats, buyer.last, buyer.watched)
        for buyer in await store.buyers(uow.session, row, day)
    }

    def foretold() -> list[tuple[str, float]]:
        every = -(-len(bought) // MOST_MODELLED)
        model = fitted(list(bought.values())[::every])
        return [(account, expected(model, buyer, asked.horizon_days)) for account, buyer in bought.items()]

    if bought:
        await store.expect(uow.session, row, day, await asyncio.to_thread(foretold))
    await store.advance(uow.session, row, uow.now, position=row.position, modelled=row.modelled + 1)


async def _judge(uow: UnitOfWork, row: Row[Any], asked: Asked) -> None:
    """Report, and leave a draft of a scorecard where a fit was asked for and found one."""
    kept = await store.cases(uow.session, row)
    cases = [Case(each.account, each.day, each.lost, _risks(each)) for each in kept]
    found = await asyncio.to_thread(report, cases, asked.dates, asked.horizon_days, row.one_in)
    draft_id = None
    if asked.fit:
        fit, after = await asyncio.to_thread(_fit, asked, store.first_card(row), cases, [_past(each) for each in kept])
        if after is not None:
            draft = await _draft(uow, row, after)
            draft_id, fit = draft.id, replace(fit, draft_version=draft.version)
        found = replace(found, fit=fit)
    await store.end(uow.session, row.tenant, row.backtest_id, "done", uow.now, report=found, draft_id=draft_id)


def _risks(kept: Row[Any]) -> dict[str, float]:
    silence, acts, purchases = BASELINES
    risks = {SCORECARD: -kept.score, silence: kept.silence, acts: -float(kept.acts)}
    return risks if kept.expected is None else {**risks, purchases: -kept.expected}


def _past(kept: Row[Any]) -> Past:
    sums = {(dimension, kind): amount for dimension, kind, amount in kept.sums}
    return Past(kept.account, kept.lost, kept.measures, sums, kept.cap)


async def _draft(uow: UnitOfWork, row: Row[Any], card: Scorecard) -> ScorecardRow:
    await scorecards_store.lock(uow.session, row.tenant)
    return await scorecards_store.create_draft(
        uow.session,
        row.tenant,
        name=card.name,
        configuration=configuration_of(card),
        segment=row.cards[0]["segment"],
        author=row.author,
        now=uow.now,
    )


def _fit(asked: Asked, card: Scorecard, cases: Sequence[Case], pasts: Sequence[Past]) -> tuple[Fit, Scorecard | None]:
    """Weights learnt from the first dates, and how they do on later ones; without a scorecard the fit says why."""
    first, later = split(asked.dates, asked.horizon_days)
    known = [past for case, past in zip(cases, pasts, strict=True) if case.day in first]
    lost, accounts = [past.lost for past in known], [past.account for past in known]
    fit = Fit(too_few(lost, accounts), tuple(first), len(known), sum(lost))
    if fit.refused is not None:
        return fit, None
    columns = table(card, known)
    try:
        coefficients = _regressed(columns, lost, accounts)
    except ModuleNotFoundError:
        return replace(fit, refused=NOT_INSTALLED), None
    after = proposed(card, columns, coefficients)
    if after is None:
        return replace(fit, refused=NOT_CONFIRMED), None
    changes = _changes(card, after)
    if not changes:
        return replace(fit, refused=NOTHING_BETTER), None
    both = [
        case._replace(risks={**case.risks, FITTED: -score_under(after, past)})
        for case, past in zip(cases, pasts, strict=True)
    ]
    before = taught([case for case in both if case.day in first])
    tried = part(None, [case for case in both if case.day in later], dict.fromkeys(later, before))
    return replace(fit, changes=changes, tested_on=tuple(later), tested=tried), after


def _regressed(columns: Table, lost: Sequence[bool], accounts: Sequence[Hashable]) -> list[float]:
    """The coefficients of a logistic regression on who stayed, shrunk as foretells other accounts best.

    Raises ModuleNotFoundError where scikit-learn is not installed.
    """
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - an extra; its import takes a second
    from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict  # noqa: PLC0415

    stayed = [not was for was in lost]
    models = [LogisticRegression(C=by, solver="newton-cholesky") for by in SHRINKAGES]
    errors = []
    for model in models:
        foretold = cross_val_predict(
            model, columns.rows, stayed, groups=accounts, cv=StratifiedGroupKFold(FOLDS), method="predict_proba"
        )
        errors.append(brier([float(chance) for _, chance in foretold], stayed))
    best = models[errors.index(min(errors))].fit(columns.rows, stayed)
    return [float(coefficient) for coefficient in best.coef_[0]]


def _changes(before: Scorecard, after: Scorecard) -> tuple[Change, ...]:
    kinds = [
        Change("kind", kind, weight, after.kind_weights[kind]) for kind, weight in sorted(before.kind_weights.items())
    ]
    weights = zip(MEASURES, before.measure_weights, after.measure_weights, strict=True)
    measures = [Change("measure", name, old, new) for name, old, new in weights]
    return tuple(change for change in (*kinds, *measures) if change.before != change.after)
