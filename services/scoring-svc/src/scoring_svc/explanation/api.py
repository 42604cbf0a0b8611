"""The route that takes a score apart, for now or for any past moment."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query
from sqlalchemy import Row

from bellwether_kit.http import Call, PageRequest, ResponseModel, UtcDatetime, requires
from bellwether_kit.http import router as routes
from scoring_svc.errors import MomentOutOfReach, UnknownAccount
from scoring_svc.explanation import store
from scoring_svc.explanation.rules import Explanation, Share, explain, situation_told
from scoring_svc.health import store as health_store
from scoring_svc.health.rules import ENGAGEMENT, NEUTRAL, Account
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


class CapShareView(ResponseModel):
    """A cap in force and the points it takes from what the measures come to: the lowest takes all, others none.

    `evidence_id` names the piece behind it; null where people are the reason.
    """

    cap: str
    limit: float
    reason: str
    points: float
    evidence_id: UUID | None


class OverrideShown(ResponseModel):
    """What a person said of the account at that moment, beside what was computed: a score or a band."""

    score: float | None
    band: str | None
    reason: str
    author: str
    set_at: datetime
    expires_at: datetime


class EvidenceShare(ResponseModel):
    """A piece of evidence and its points: what the measures come to, minus what they would come to without it.

    `shown_points` is the same of the score as shown: under a cap most pieces move nothing, what put it in force much.
    """

    evidence_id: UUID
    kind: str
    known: bool
    dimension: str | None
    magnitude: float
    observed_at: datetime
    points: float
    shown_points: float
    links: dict[str, str]


class ExplanationView(ResponseModel):
    """A computed score taken apart: 50, the measures' points and the caps' points add up to it exactly.

    `override` is shown beside and moves nothing. `next_cursor` goes on with the evidence.
    """

    account_id: UUID
    at: datetime
    score: float
    uncapped_score: float
    neutral: float
    confidence: float
    scorecard: str
    scorecard_version: int
    measures: list[MeasureShare]
    caps: list[CapShareView]
    override: OverrideShown | None
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
        past: Row[Any] | None = None
        if at is None:
            card = await scorecards_store.version(session, call.tenant, row.scorecard, row.scorecard_version)
        else:
            past = await store.then(session, call.tenant, account_id, at)
            made_by = row if past is None else past
            card = await scorecards_store.version(session, call.tenant, made_by.scorecard, made_by.scorecard_version)
        told = await ledger_store.told(session, call.tenant, account_id, moment)
        override = await store.override(session, call.tenant, account_id, moment)
    found = _explained(card, told, account if at is None else None, past, moment)
    shown, cursor = page.cut(
        found.evidence[skipped : skipped + page.limit + 1], key=lambda _: [moment.isoformat(), skipped + page.limit]
    )
    return _view(account_id, moment, card, told, found, shown, override, cursor)


def _explained(
    card: Scorecard,
    told: Sequence[Told],
    account: Account | None,
    past: Row[Any] | None,
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
    if account is not None:
        return explain(card, pieces, account.reported, {}, moment.timestamp(), account.situation)
    taken = {index: past.measures[index] for index in _REPORTED} if past is not None else {}
    situation = situation_told(past.caps if past is not None else ())
    return explain(card, pieces, None, taken, moment.timestamp(), situation)


def _view(
    account_id: UUID,
    at: datetime,
    card: Scorecard,
    told: Sequence[Told],
    found: Explanation,
    shown: Sequence[Share],
    override: Row[Any] | None,
    cursor: str | None,
) -> ExplanationView:
    by_id = {str(t.evidence_id): t for t in told}
    return ExplanationView(
        account_id=account_id,
        at=at,
        score=found.score,
        uncapped_score=found.uncapped,
        neutral=NEUTRAL,
        confidence=found.confidence,
        scorecard=card.name,
        scorecard_version=card.version,
        measures=[
            MeasureShare(measure=name, value=value, weight=weight, points=points)
            for name, value, weight, points in zip(
                MEASURES, found.values, card.measure_weights, found.points, strict=True
            )
        ],
        caps=[
            CapShareView(
                **share.cap._asdict(), reason=share.cap.reason, points=share.points, evidence_id=share.evidence_id
            )
            for share in found.caps
        ],
        override=None if override is None else OverrideShown.model_validate(override),
        evidence=[_evidence(by_id[share.piece.evidence_id], share) for share in shown],
        evidence_total=len(told),
        next_cursor=cursor,
    )


def _evidence(told: Told, share: Share) -> EvidenceShare:
    return EvidenceShare(
        evidence_id=told.evidence_id,
        kind=told.kind,
        known=share.piece.known,
        dimension=DIMENSIONS[told.dimension] if told.dimension >= 0 else None,
        magnitude=told.magnitude,
        observed_at=told.observed_at,
        points=share.points,
        shown_points=share.shown_points,
        links={"evidence": f"/v1/evidence/{told.evidence_id}"},
    )
