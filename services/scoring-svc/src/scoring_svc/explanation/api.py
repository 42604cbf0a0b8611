"""The route that takes a score apart, for now or for any past moment."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query

from bellwether_kit.http import Call, PageRequest, ResponseModel, UtcDatetime, requires
from bellwether_kit.http import router as routes
from scoring_svc.errors import MomentOutOfReach, UnknownAccount
from scoring_svc.explanation import store
from scoring_svc.explanation.rules import Explanation, Share, explain
from scoring_svc.health import store as health_store
from scoring_svc.health.rules import ENGAGEMENT, NEUTRAL, Reported
from scoring_svc.health.tables import HealthHistoryRow
from scoring_svc.ledger import store as ledger_store
from scoring_svc.ledger.rules import Piece, worth
from scoring_svc.ledger.store import Told
from scoring_svc.scorecards import store as scorecards_store
from scoring_svc.scorecards.rules import DIMENSIONS, MEASURES, Scorecard

router = routes(tags=["health"])

# The measures that other services report: in the past, they are what the history says they were.
_REPORTED = (ENGAGEMENT, MEASURES.index("coverage"), MEASURES.index("satisfaction"), MEASURES.index("plan"))


class MeasureShare(ResponseModel):
    """What one measure adds to neutral 50; null value: missing, its weight is spread over the others."""

    measure: str
    value: float | None
    weight: float
    points: float


class EvidenceShare(ResponseModel):
    """A piece of evidence and its points: the score minus the score without it."""

    evidence_id: UUID
    kind: str
    known: bool
    dimension: str | None
    magnitude: float
    observed_at: datetime
    points: float
    links: dict[str, str]


class ExplanationView(ResponseModel):
    """A score taken apart: 50 and the measures' points add up to it exactly.

    `caps` are what held the account's score below it. `next_cursor` goes on with the evidence.
    """

    account_id: UUID
    at: datetime
    score: float
    neutral: float
    confidence: float
    scorecard: str
    scorecard_version: int
    caps: list[str]
    measures: list[MeasureShare]
    evidence: list[EvidenceShare]
    evidence_total: int
    next_cursor: str | None


@router.get(
    "/accounts/{account_id}/health/explanation", response_model=ExplanationView, operation_id="explain-account-health"
)
async def explain_health(
    account_id: UUID,
    call: Annotated[Call, Depends(requires("health:read"))],
    page: PageRequest,
    at: Annotated[UtcDatetime | None, Query(description="a past moment; now when absent")] = None,
) -> ExplanationView:
    """Points of every measure and of every piece of evidence; losses first, each side by size.

    A past score is explained by the scorecard that made it, from the evidence that is now known to have been
    observed until then. Pages after the first are about the moment of the first.
    """
    if at is not None and at > call.now:
        raise MomentOutOfReach("A score can be explained for a moment that has been, not for one to come.")
    moment, skipped = (
        (at or call.now, 0) if page.after is None else (datetime.fromisoformat(page.after[0]), page.after[1])
    )
    async with call.read() as session:
        account = await health_store.snapshot(session, call.tenant, account_id, call.now)
        row = await health_store.current(session, call.tenant, account_id)
        if account is None or row is None:
            raise UnknownAccount("Nothing is known of an account with this id.")
        past: Sequence[HealthHistoryRow] = ()
        if at is None:
            card = (await scorecards_store.published(session, {call.tenant}))[call.tenant]
        else:
            past = await health_store.history(session, call.tenant, account_id, since=None, until=at, limit=1)
            made_by = past[0] if past else row
            card = await store.scorecard(session, call.tenant, made_by.scorecard, made_by.scorecard_version)
        told = await ledger_store.told(session, call.tenant, account_id, moment)
    found = _explained(card, told, account.reported if at is None else None, past, moment)
    caps = [cap.cap for cap in account.caps] if at is None else [cap for made in past for cap in made.caps]
    shown, cursor = page.cut(
        found.evidence[skipped : skipped + page.limit + 1], key=lambda _: [moment.isoformat(), skipped + page.limit]
    )
    return _view(account_id, moment, card, told, found, shown, caps, cursor)


def _explained(
    card: Scorecard,
    told: Sequence[Told],
    reported: Reported | None,
    past: Sequence[HealthHistoryRow],
    moment: datetime,
) -> Explanation:
    pieces = [
        Piece(
            str(t.evidence_id),
            t.kind,
            t.dimension,
            worth(card, t.kind, t.dimension, t.magnitude),
            t.observed_at.timestamp(),
        )
        for t in told
    ]
    taken = {index: past[0].measures[index] for index in _REPORTED} if past else {}
    return explain(card, pieces, reported, taken, moment.timestamp())


def _view(
    account_id: UUID,
    at: datetime,
    card: Scorecard,
    told: Sequence[Told],
    found: Explanation,
    shown: Sequence[Share],
    caps: list[str],
    cursor: str | None,
) -> ExplanationView:
    by_id = {str(t.evidence_id): t for t in told}
    return ExplanationView(
        account_id=account_id,
        at=at,
        score=found.score,
        neutral=NEUTRAL,
        confidence=found.confidence,
        scorecard=card.name,
        scorecard_version=card.version,
        caps=caps,
        measures=[
            MeasureShare(measure=name, value=value, weight=weight, points=points)
            for name, value, weight, points in zip(
                MEASURES, found.values, card.measure_weights, found.points, strict=True
            )
        ],
        evidence=[_evidence(by_id[share.piece.evidence_id], share.piece, share.points) for share in shown],
        evidence_total=len(told),
        next_cursor=cursor,
    )


def _evidence(told: Told, piece: Piece, points: float) -> EvidenceShare:
    return EvidenceShare(
        evidence_id=told.evidence_id,
        kind=told.kind,
        known=piece.known,
        dimension=DIMENSIONS[told.dimension] if told.dimension >= 0 else None,
        magnitude=told.magnitude,
        observed_at=told.observed_at,
        points=points,
        links={"evidence": f"/v1/evidence/{told.evidence_id}"},
    )
