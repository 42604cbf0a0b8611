"""The route that shows which sources are heard from, and which fell silent."""

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import Depends
from sqlalchemy import Row

from bellwether_kit.http import Call, Page, PageRequest, ResponseModel, requires
from bellwether_kit.http import router as routes
from metrics_svc.sources import store
from metrics_svc.sources.rules import silent_at, usual_gap

router = routes(tags=["sources"])

Reader = Annotated[Call, Depends(requires("evidence:read"))]


class SourceView(ResponseModel):
    """A source as it is heard. `silent_at` is when it counts as silent unless it is heard before.

    `usual_gap_hours` is in hours of weekdays, and null while too little is known. `activities_by_day` has the last
    14 days (UTC), corrections and repeats counted too.
    """

    source: str
    first_heard_at: datetime
    last_heard_at: datetime
    usual_gap_hours: float | None
    silent_at: datetime | None
    silent_since: datetime | None
    activities_by_day: dict[date, int]


def _view(row: Row[Any]) -> SourceView:
    usual = usual_gap(row.arrivals)
    hours = None if usual is None else round(usual.total_seconds() / 3_600, 3)
    return SourceView.model_validate(
        {**row._asdict(), "usual_gap_hours": hours, "silent_at": silent_at(row.arrivals)},
    )


@router.get("/sources", operation_id="list-sources")
async def list_sources(call: Reader, page: PageRequest) -> Page[SourceView]:
    """Every source that was ever heard, by name. Times are those of arrival, whenever things happened."""
    after = page.after[0] if page.after else ""
    async with call.read() as session:
        rows = await store.listed(session, call.tenant, as_of=call.now, after=after, limit=page.limit + 1)
    shown, cursor = page.cut(rows, key=lambda row: [row.source])
    return Page(items=[_view(row) for row in shown], next_cursor=cursor)
