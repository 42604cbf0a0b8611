"""The route that answers what would be: a score under hypothetical evidence, measures and cadence."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Depends
from pydantic import Field, StringConstraints

from bellwether_kit.db import UnitOfWork
from bellwether_kit.http import Call, RequestModel, ResponseModel, UtcDatetime, requires
from bellwether_kit.http import router as routes
from bellwether_kit.ids import uuid7
from scoring_svc.alerts import store as alerts_store
from scoring_svc.alerts.rules import Decision
from scoring_svc.caps.rules import cap_until
from scoring_svc.errors import MomentOutOfReach, UnknownAccount, UnknownKind
from scoring_svc.evaluation import store as evaluation_store
from scoring_svc.evaluation.rules import Book, Books, judge
from scoring_svc.forecast.rules import time_to_risk
from scoring_svc.health import store as health_store
from scoring_svc.health.rules import Account, measures_of
from scoring_svc.health.store import instant
from scoring_svc.ledger import store as ledger_store
from scoring_svc.ledger.rules import Piece, dimension_index, worth

router = routes(tags=["health"])

Percent = Annotated[float | None, Field(ge=0, le=100)]


class SupposedEvidence(RequestModel):
    """Something the client might do; now, unless said when."""

    kind: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
    dimension: Literal["heart", "mind", "wallet"]
    magnitude: Annotated[float, Field(gt=0, le=1_000)] = 1.0
    observed_at: UtcDatetime | None = None


class Supposition(RequestModel):
    """What to suppose; what is left out stays as it is. Measures 0 to 100, as if measured now."""

    evidence: Annotated[tuple[SupposedEvidence, ...], Field(max_length=200)] = ()
    coverage: Percent = None
    satisfaction: Percent = None
    plan: Percent = None
    cadence_days: Annotated[float | None, Field(gt=0, le=3_650)] = None
    last_two_way_at: UtcDatetime | None = None


class CapOutlook(ResponseModel):
    """A cap that would hold; `ends_at` is when it would end by itself, null where only an event would end it."""

    cap: str
    limit: float
    reason: str
    ends_at: datetime | None


class Outlook(ResponseModel):
    """How an account is judged: by its measures, and under its caps."""

    score: float
    uncapped_score: float
    caps: list[CapOutlook]
    band: str
    confidence: float
    measures: dict[str, float | None]
    time_to_risk: datetime | None


class AlertOutlook(ResponseModel):
    """What would become of the alert of a kind: opened, reopened, updated or resolved; the rules behind it."""

    kind: str
    change: str
    severity: str
    rules: list[str]
    joined: list[str]
    left: list[str]


class WhatIf(ResponseModel):
    """The account now, and as it would be; alerts that would change by it."""

    account_id: UUID
    at: datetime
    now: Outlook
    then: Outlook
    alerts: list[AlertOutlook]


@router.post("/accounts/{account_id}/health/what-if", response_model=WhatIf, operation_id="suppose-account-health")
async def what_if(
    account_id: UUID, body: Supposition, call: Annotated[Call, Depends(requires("health:read"))]
) -> WhatIf:
    """Judge the account as if; nothing is written and nobody is told."""
    for place, said in enumerate(body.evidence):
        if said.observed_at is not None and said.observed_at > call.now:
            raise MomentOutOfReach("Evidence is observed now or before.", pointer=f"/evidence/{place}/observed_at")
    if body.last_two_way_at is not None and body.last_two_way_at > call.now:
        raise MomentOutOfReach("The last contact was now or before.", pointer="/last_two_way_at")
    now, key = call.now.timestamp(), (call.tenant, str(account_id))
    async with call.rehearsal() as uow:
        books = await evaluation_store.books(uow, {call.tenant})
        as_is, supposed = await _in_hand(uow, call, account_id, books), await _in_hand(uow, call, account_id, books)
        book = books[call.tenant].of(as_is)
        _known_kinds(body, book)
        held = (await alerts_store.current(uow.session, [key])).get(key, {})
    alerts = {kind: each.alert for kind, each in held.items()}
    _suppose(supposed, body, book, now)
    judge(as_is, book, alerts, now, uuid7)
    verdict = judge(supposed, book, alerts, now, uuid7)
    return WhatIf(
        account_id=account_id,
        at=call.now,
        now=_outlook(as_is, book, now),
        then=_outlook(supposed, book, now),
        alerts=[_alert(decision) for decision in verdict.decisions if decision.change is not None],
    )


def _known_kinds(body: Supposition, book: Book) -> None:
    for place, said in enumerate(body.evidence):
        if said.kind not in book.card.kind_weights:
            pointer = f"/evidence/{place}/kind"
            raise UnknownKind(f"The scorecard knows no evidence of kind {said.kind}.", pointer=pointer)


async def _in_hand(uow: UnitOfWork, call: Call, account_id: UUID, books: dict[str, Books]) -> Account:
    """The account as an evaluation would find it."""
    account = await health_store.snapshot(uow.session, call.tenant, account_id, call.now)
    if account is None or await health_store.current(uow.session, call.tenant, account_id) is None:
        raise UnknownAccount("Nothing is known of an account with this id.")
    if not books[call.tenant].made(account):
        await evaluation_store.restore(uow, [account], books)
    if account.stale:
        await evaluation_store.refresh(uow, [account], books)
    if account.balances.tally is None:
        account.balances.tally = (await ledger_store.tally(uow.session, [account.key], call.now))[account.key]
    return account


def _suppose(account: Account, body: Supposition, book: Book, now: float) -> None:
    card, reported = book.card, account.reported
    for said in body.evidence:
        dimension = dimension_index(said.dimension)
        observed = now if said.observed_at is None else said.observed_at.timestamp()
        piece = Piece(str(uuid7()), said.kind, dimension, worth(card, said.kind, dimension, said.magnitude), observed)
        account.balances.add(piece, card.half_lives)
        account.memory.remember(piece, card.half_lives, book.tracked)
    if body.coverage is not None:
        reported.coverage, reported.coverage_at = body.coverage, now
    if body.satisfaction is not None:
        reported.satisfaction, reported.satisfaction_at = body.satisfaction, now
    if body.plan is not None:
        reported.plan, reported.plan_at = body.plan, now
    if body.cadence_days is not None:
        reported.cadence_days = body.cadence_days
    if body.last_two_way_at is not None:
        reported.last_two_way = body.last_two_way_at.timestamp()


def _outlook(account: Account, book: Book, now: float) -> Outlook:
    risk = time_to_risk(book.card, account.standing, account.band or "unknown", now, account.caps)
    ends = [(cap, cap_until(book.card, account.memory.marks, cap)) for cap in account.caps]
    return Outlook(
        score=account.score,
        uncapped_score=account.uncapped,
        caps=[
            CapOutlook(cap=cap.cap, limit=cap.limit, reason=cap.reason, ends_at=None if end is None else instant(end))
            for cap, end in ends
        ],
        band=account.band or "unknown",
        confidence=account.confidence,
        measures=dict(measures_of(account.measures)),
        time_to_risk=None if risk is None else instant(risk),
    )


def _alert(decision: Decision) -> AlertOutlook:
    return AlertOutlook(
        kind=decision.alert.kind,
        change=decision.change or "",
        severity=decision.alert.severity,
        rules=[reason.rule for reason in decision.alert.reasons],
        joined=list(decision.joined),
        left=list(decision.left),
    )
