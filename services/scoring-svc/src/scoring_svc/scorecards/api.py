"""The route that lists scorecards. Drafts and publishing are not built yet."""

from datetime import datetime
from typing import Annotated

from fastapi import Depends

from bellwether_kit.http import Call, ResponseModel, requires
from bellwether_kit.http import router as routes
from scoring_svc.scorecards import store
from scoring_svc.scorecards.rules import CADENCE_DAYS, DEFAULT, DIMENSIONS, MEASURES, Scorecard

router = routes(tags=["scorecards"])


class ScorecardView(ResponseModel):
    """One version of what evidence and measures are worth. Half-lives, validities and cadences in days."""

    name: str
    version: int
    state: str
    kind_weights: dict[str, float]
    half_life_days: dict[str, float]
    scale: float
    measure_weights: dict[str, float]
    validity_days: dict[str, float]
    cadence_days: dict[str, float]
    healthy_from: float
    watch_from: float
    hysteresis: float
    min_confidence: float
    author: str | None = None
    reason: str | None = None
    changed_at: datetime | None = None


class ScorecardList(ResponseModel):
    """All versions, newest first; the built-in default last."""

    items: list[ScorecardView]


@router.get("/scorecards", response_model=ScorecardList, operation_id="list-scorecards")
async def list_scorecards(call: Annotated[Call, Depends(requires("health:read"))]) -> ScorecardList:
    """Every version of the tenant's scorecards, and the documented default they start from."""
    async with call.read() as session:
        rows = await store.versions(session, call.tenant)
    own = [
        _view(store.from_row(row.name, row.version, row.configuration), row.state).model_copy(
            update={"author": row.author, "reason": row.reason, "changed_at": row.changed_at}
        )
        for row in rows
    ]
    in_force = any(row.state == "published" for row in rows)
    return ScorecardList(items=[*own, _view(DEFAULT, "retired" if in_force else "published")])


def _view(card: Scorecard, state: str) -> ScorecardView:
    return ScorecardView(
        name=card.name,
        version=card.version,
        state=state,
        kind_weights=dict(card.kind_weights),
        half_life_days={
            **dict(zip(DIMENSIONS, card.half_life_days, strict=True)),
            "responsiveness": card.responsiveness_half_life_days,
        },
        scale=card.scale,
        measure_weights=dict(zip(MEASURES, card.measure_weights, strict=True)),
        validity_days={
            "coverage": card.coverage_validity_days,
            "satisfaction": card.satisfaction_validity_days,
            "plan": card.plan_validity_days,
        },
        cadence_days=dict(CADENCE_DAYS),
        healthy_from=card.healthy_from,
        watch_from=card.watch_from,
        hysteresis=card.hysteresis,
        min_confidence=card.min_confidence,
    )
