"""The routes of the past: a series of health with marks, and the picture of it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import Depends, Query, Response
from pydantic import Field
from sqlalchemy import Row

from bellwether_kit.http import Call, Page, PageRequest, QueryModel, ResponseModel, UtcDatetime, requires
from bellwether_kit.http import router as routes
from scoring_svc.errors import SpanOutOfOrder, UnknownAccount
from scoring_svc.health import store as health_store
from scoring_svc.health.rules import measures_of
from scoring_svc.history import store
from scoring_svc.history.rules import Frame, Mark, Point, Said, picture
from scoring_svc.scorecards import store as scorecards_store

router = routes(tags=["health"])

Reader = Annotated[Call, Depends(requires("health:read"))]
SHOWN: Final = timedelta(days=90)
LONGEST: Final = timedelta(days=3_660)
# Spans longer than this are drawn by day, then by week: no eye tells more points apart.
_BY_CHANGE: Final = timedelta(days=31)
_BY_DAY: Final = timedelta(days=730)
_MOST_POINTS: Final = 2_000


class Span(QueryModel):
    """From when until when, both included."""

    since: Annotated[UtcDatetime | None, Field(alias="from")] = None
    until: Annotated[UtcDatetime | None, Field(alias="to")] = None


class Series(Span):
    """Every change, or how each day or week (UTC, from Monday) ended."""

    interval: Literal["all", "day", "week"] = "all"


class HistoryView(ResponseModel):
    """Computed health from an instant on; `uncapped_score` is null in history older than caps."""

    at: datetime
    score: float
    uncapped_score: float | None
    caps: list[str]
    band: str
    confidence: float
    scorecard: str
    scorecard_version: int
    measures: dict[str, float | None]


class MarkView(ResponseModel):
    """What happened: `scorecard` (about: its name and version); an alert `opened`, `reopened`, `resolved` (its kind).

    `cap-began` and `cap-ended` are about the cap; `override-set` and `override-ended` about the score or band.
    """

    at: datetime
    kind: str
    about: str
    alert_id: UUID | None
    override_id: UUID | None


class OverridePeriod(ResponseModel):
    """What a person set, a score or a band, from `set_at` until `ends_at`, which may be still to come."""

    id: UUID
    score: float | None
    band: str | None
    reason: str
    author: str
    set_at: datetime
    ends_at: datetime


class History(Page[HistoryView]):
    """Points newest first; the marks of the time that the page covers, and what people set that was in force then.

    Of each 500 at most, newest first. An override that was in force over several pages is on each of them.
    """

    marks: list[MarkView]
    overrides: list[OverridePeriod]


@router.get("/accounts/{account_id}/health/history", response_model=History, operation_id="list-account-health-history")
async def list_history(account_id: UUID, call: Reader, page: PageRequest, asked: Annotated[Series, Query()]) -> History:
    """How health was, as a series for a chart; newest first."""
    until = asked.until or call.now
    _in_order(asked.since, until)
    before = None if page.after is None else datetime.fromisoformat(page.after[0])
    async with call.read() as session:
        await _known(call, session, account_id)
        rows = await store.points(
            session,
            call.tenant,
            account_id,
            asked.interval,
            since=asked.since,
            until=until,
            before=before,
            limit=page.limit + 1,
        )
        kept, cursor = page.cut(rows, key=lambda row: [row.bucket.isoformat()])
        # The next page's marks begin where this page's oldest point does.
        since = asked.since if cursor is None else max(filter(None, (asked.since, kept[-1].bucket)))
        found = await store.marks(session, call.tenant, account_id, call.now, since=since, until=until, before=before)
        said = await store.overrides(session, call.tenant, account_id, since=since, until=until, before=before)
    return History(
        items=[_point(row) for row in kept],
        next_cursor=cursor,
        marks=[MarkView.model_validate(row) for row in found],
        overrides=[OverridePeriod.model_validate(row) for row in said],
    )


@router.get("/accounts/{account_id}/health/history.svg", operation_id="draw-account-health-history")
async def draw_history(account_id: UUID, call: Reader, asked: Annotated[Span, Query()]) -> Response:
    """The last 90 days of health, or another span of ten years at most, as a picture (SVG, light and dark)."""
    until = asked.until or call.now
    since = asked.since or until - SHOWN
    _in_order(since, until)
    if until - since > LONGEST:
        raise SpanOutOfOrder("A picture shows ten years at most.", pointer="/from")
    length = until - since
    interval = "all" if length <= _BY_CHANGE else "day" if length <= _BY_DAY else "week"
    async with call.read() as session:
        current = await _known(call, session, account_id)
        card = await scorecards_store.version(session, call.tenant, current.scorecard, current.scorecard_version)
        name = await store.name(session, call.tenant, account_id)
        before = await store.last_before(session, call.tenant, account_id, since)
        rows = await store.points(
            session, call.tenant, account_id, interval, since=since, until=until, limit=_MOST_POINTS
        )
        marks = await store.marks(session, call.tenant, account_id, call.now, since=since, until=until)
        said = await store.overrides(session, call.tenant, account_id, since=since, until=until)
    frame = Frame(since.timestamp(), until.timestamp(), card.watch_from, card.healthy_from)
    drawn = picture(
        name or "an account",
        _points(before, rows, since),
        [Mark(row.at.timestamp(), row.kind, row.about) for row in reversed(marks)],
        frame,
        [Said(row.set_at.timestamp(), row.ends_at.timestamp(), row.score, row.band) for row in reversed(said)],
    )
    return Response(drawn, media_type="image/svg+xml")


def _in_order(since: datetime | None, until: datetime) -> None:
    if since is not None and since >= until:
        raise SpanOutOfOrder("The span must end later than it begins.", pointer="/to")


async def _known(call: Call, session: Any, account_id: UUID) -> Row[Any]:
    row = await health_store.current(session, call.tenant, account_id)
    if row is None:
        raise UnknownAccount("Nothing is known of an account with this id.")
    return row


def _points(before: Row[Any] | None, rows: Sequence[Row[Any]], since: datetime) -> list[Point]:
    """Oldest first; what held when the span began holds from its beginning."""
    held = [] if before is None else [Point(since.timestamp(), _score(before))]
    return held + [Point(row.at.timestamp(), _score(row)) for row in reversed(rows)]


def _score(row: Row[Any]) -> float | None:
    return None if row.band == "unknown" else float(row.score)


def _point(row: Row[Any]) -> HistoryView:
    return HistoryView(
        at=row.at,
        score=row.score,
        uncapped_score=row.uncapped_score,
        caps=row.caps,
        band=row.band,
        confidence=row.confidence,
        scorecard=row.scorecard,
        scorecard_version=row.scorecard_version,
        measures=dict(measures_of(row.measures)),
    )
