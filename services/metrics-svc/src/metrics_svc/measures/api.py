"""The route of the figures over one account's evidence."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query
from pydantic import Field

from bellwether_kit.http import Call, QueryModel, ResponseModel, UtcDatetime, requires
from bellwether_kit.http import router as routes
from metrics_svc.errors import PeriodOutOfOrder, UnknownAccount
from metrics_svc.measures import store

router = routes(tags=["measures"])

DEFAULT_PERIOD = timedelta(days=90)


class Period(QueryModel):
    """`from` is inclusive, `to` is not; by default the 90 days before now."""

    from_: Annotated[UtcDatetime | None, Field(alias="from")] = None
    to: UtcDatetime | None = None


class KindCount(ResponseModel):
    """How often a kind was seen, and the sum of its magnitudes."""

    kind: str
    family: str
    polarity: int
    n: int
    magnitude: float


class FamilyCount(ResponseModel):
    """How much of a family spoke for us and against us."""

    family: str
    positive: int
    negative: int


class EvidenceMetrics(ResponseModel):
    """Figures over the evidence that stands and was observed in the period; null where n is 0."""

    account_id: UUID
    period_start: datetime
    period_end: datetime
    n: int
    kinds: list[KindCount]
    families: list[FamilyCount]
    return_rate: Annotated[float | None, Field(description="returned of returned and unreturned, 0 to 1")]
    return_rate_n: int
    response_time_median_hours: float | None
    response_time_n: int


@router.get("/accounts/{account_id}/evidence-metrics", operation_id="get-evidence-metrics")
async def get_evidence_metrics(
    account_id: UUID,
    call: Annotated[Call, Depends(requires("evidence:read"))],
    period: Annotated[Period, Query()],
) -> EvidenceMetrics:
    """Counts by kind and family, return rate and response time of one account."""
    until = period.to or call.now
    since = period.from_ or until - DEFAULT_PERIOD
    if since >= until:
        raise PeriodOutOfOrder("The period ends before it starts.")
    async with call.read() as session:
        found = await store.measured(session, call.tenant, account_id, since, until)
    if not found.known:
        raise UnknownAccount("There is no account of this id.")
    kinds = [KindCount.model_validate(kind) for kind in found.kinds]
    returned = sum(kind.n for kind in kinds if kind.kind.endswith("-returned"))
    asked = returned + sum(kind.n for kind in kinds if kind.kind.endswith("-unreturned"))
    seconds = found.median_seconds
    return EvidenceMetrics(
        account_id=account_id,
        period_start=since,
        period_end=until,
        n=sum(kind.n for kind in kinds),
        kinds=kinds,
        families=_families(kinds),
        return_rate=returned / asked if asked else None,
        return_rate_n=asked,
        response_time_median_hours=None if seconds is None else seconds / 3600,
        response_time_n=found.n,
    )


def _families(kinds: Sequence[KindCount]) -> list[FamilyCount]:
    return [
        FamilyCount(
            family=family,
            positive=sum(kind.n for kind in kinds if kind.family == family and kind.polarity > 0),
            negative=sum(kind.n for kind in kinds if kind.family == family and kind.polarity < 0),
        )
        for family in sorted({kind.family for kind in kinds})
    ]
