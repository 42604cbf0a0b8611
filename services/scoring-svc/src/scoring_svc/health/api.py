"""The routes that show one account's health."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends
from sqlalchemy import Row

from bellwether_kit.http import Call, ResponseModel, requires
from bellwether_kit.http import router as routes
from scoring_svc.caps.rules import cap_until
from scoring_svc.errors import UnknownAccount
from scoring_svc.explanation.rules import drivers
from scoring_svc.forecast.rules import time_to_risk
from scoring_svc.health import store
from scoring_svc.health.rules import Account, Reported, measures_of
from scoring_svc.health.store import instant
from scoring_svc.scorecards.rules import DEFAULT, DIMENSIONS, Scorecard, card_of

router = routes(tags=["health"])

Reader = Annotated[Call, Depends(requires("health:read"))]


class DriverView(ResponseModel):
    """A piece of evidence that moves the score, with the points it gives or takes."""

    evidence_id: UUID
    kind: str
    observed_at: datetime
    points: float


class Freshness(ResponseModel):
    """How old what the score rests on is; null where there is nothing."""

    last_evidence_at: datetime | None
    last_two_way_at: datetime | None
    coverage_at: datetime | None
    satisfaction_at: datetime | None
    plan_at: datetime | None
    unknown_evidence: int


class CapView(ResponseModel):
    """A fact so grave that it caps the score; `ends_at` is when it ends by itself, null where only an event ends it."""

    cap: str
    limit: float
    reason: str
    ends_at: datetime | None


class OverrideView(ResponseModel):
    """What a person says of the account for a while, beside what was computed: a score or a band."""

    score: float | None
    band: str | None
    reason: str
    author: str
    set_at: datetime
    expires_at: datetime


class HealthView(ResponseModel):
    """An account's health as last evaluated."""

    account_id: UUID
    account_name: str | None
    score: float
    previous_score: float | None
    band: str
    previous_band: str | None
    dimensions: dict[str, float | None]
    measures: dict[str, float | None]
    confidence: float
    change: float
    scorecard: str
    scorecard_version: int
    evaluated_at: datetime
    next_evaluation_at: datetime | None
    sequence: int
    time_to_risk: datetime | None
    freshness: Freshness
    drivers: list[DriverView]
    override: OverrideView | None
    uncapped_score: float
    caps: list[CapView]


@router.get("/accounts/{account_id}/health", response_model=HealthView, operation_id="get-account-health")
async def get_health(account_id: UUID, call: Reader) -> HealthView:
    """The score, what it is made of, how sure it is, and when it will become at-risk if nothing happens."""
    async with call.read() as session:
        found = await store.shown(session, call.tenant, account_id, call.now)
    if found is None:
        raise UnknownAccount("Nothing is known of an account with this id.")
    account, row = found
    if account.override is not None and account.override.expires_at <= call.now:
        account.override = None  # the worker has not ended it yet
    made_by = account.scorecard, account.scorecard_version
    card = DEFAULT if row.configuration is None else card_of(*made_by, row.configuration)
    return _view(account_id, account, row, card)


def _view(account_id: UUID, account: Account, row: Row[Any], card: Scorecard) -> HealthView:
    at = row.evaluated_at.timestamp()
    measures = measures_of(account.measures)
    sums = account.balances.at(at, card.half_lives)
    risk = time_to_risk(card, account.standing, account.band or "unknown", at, account.caps)
    return HealthView(
        account_id=account_id,
        account_name=account.name,
        score=account.score,
        previous_score=row.previous_score,
        band=account.band or "unknown",
        previous_band=row.previous_band,
        dimensions={name: measures[name] for name in DIMENSIONS},
        measures=dict(measures),
        confidence=account.confidence,
        change=account.change,
        scorecard=account.scorecard,
        scorecard_version=account.scorecard_version,
        evaluated_at=row.evaluated_at,
        next_evaluation_at=row.next_evaluation_at,
        sequence=account.sequence,
        time_to_risk=instant(risk) if risk is not None else None,
        freshness=_freshness(account),
        override=None if account.override is None else OverrideView.model_validate(account.override),
        uncapped_score=account.uncapped,
        caps=_caps(card, account),
        drivers=[
            DriverView(evidence_id=UUID(d.evidence_id), kind=d.kind, observed_at=instant(d.observed), points=d.points)
            for d in drivers(card, account.measures, sums, account.balances.counts, account.memory, at)
        ],
    )


def _caps(card: Scorecard, account: Account) -> list[CapView]:
    ends = [(cap, cap_until(card, account.memory.marks, cap)) for cap in account.caps]
    return [
        CapView(cap=cap.cap, limit=cap.limit, reason=cap.reason, ends_at=None if end is None else instant(end))
        for cap, end in ends
    ]


def _freshness(account: Account) -> Freshness:
    reported: Reported = account.reported
    newest = max((times[0] for times in account.memory.latest if times), default=None)
    return Freshness(
        last_evidence_at=None if newest is None else instant(newest),
        last_two_way_at=None if reported.last_two_way is None else instant(reported.last_two_way),
        coverage_at=None if reported.coverage is None else instant(reported.coverage_at),
        satisfaction_at=None if reported.satisfaction is None else instant(reported.satisfaction_at),
        plan_at=None if reported.plan is None else instant(reported.plan_at),
        unknown_evidence=account.balances.unknown,
    )
