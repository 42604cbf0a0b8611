"""The routes of metrics: their definitions, series of one group or account, and the members of a scope compared."""

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import islice
from math import isinf
from typing import Annotated, Any, Literal

import msgspec
from fastapi import Depends, Query, Response
from pydantic import Field
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from bellwether_kit.http import Call, Page, PageQuery, PageRequest, QueryModel, ResponseModel, requires
from bellwether_kit.http import router as routes
from metrics_svc.errors import MemberMismatch, PeriodOutOfOrder, TooManyPoints, UnknownAccount, UnknownMetric
from metrics_svc.figures.rules import Interval, Period, Scope, spans
from metrics_svc.figures.store import version
from metrics_svc.formulas.rules import Measured, Metric, Read, change, met, valued
from metrics_svc.formulas.rules import series as measured
from metrics_svc.metrics import store
from metrics_svc.metrics.rules import LONGEST_SERIES, METRICS, MONEY, known

router = routes(tags=["metrics"])

Reader = Annotated[Call, Depends(requires("evidence:read"))]
Day = Annotated[date, Field(ge=date(1990, 1, 1), le=date(2200, 1, 1))]
Code = Annotated[str, Field(min_length=1, max_length=100, examples=["return-rate", "revenue:EUR"])]
Group = Literal["owner", "territory", "tier"]

DEFAULT_PERIOD = timedelta(days=365)


class MetricView(ResponseModel):
    """A metric. One of money is asked for with its currency, as `revenue:EUR`."""

    code: str
    timing: Literal["leading", "lagging"]
    unit: str
    up_is_good: bool
    formula: str
    measures: list[str]


class Metrics(ResponseModel):
    """Every metric there is."""

    items: list[MetricView]


class Dates(QueryModel):
    """UTC days: `from` is inclusive, `to` is not. By default the 365 days up to and with today."""

    from_: Annotated[Day | None, Field(alias="from")] = None
    to: Day | None = None

    def period(self, today: date) -> Period:
        """The period meant; raises PeriodOutOfOrder."""
        end = self.to or today + timedelta(days=1)
        start = self.from_ or end - DEFAULT_PERIOD
        if start >= end:
            raise PeriodOutOfOrder("`from` must lie before `to`.")
        return Period(start, end)


class SeriesQuery(Dates):
    """Which metrics, of whom, from when to when, by which interval."""

    metric: Annotated[list[Code], Field(min_length=1, max_length=12)]
    scope: Scope = "all"
    member: Annotated[str, Field(max_length=200, description="owner id, territory, tier or account id")] = ""
    interval: Interval = "month"


class CompareQuery(Dates):
    """Which metric, of the members of which scope."""

    metric: Code
    scope: Group
    sort: Annotated[Literal["value", "-value"], Field(description="a leading minus: the greatest first")] = "-value"


class Point(ResponseModel):
    """A metric in one interval; the first and last are cut to the period. `value` is null where n allows none."""

    period_start: date
    value: float | None
    n: int
    standard_error: float | None


class Figure(ResponseModel):
    """A metric over a whole period."""

    value: float | None
    n: int
    standard_error: float | None


class SeriesView(ResponseModel):
    """One metric: its points, the period as a whole, the period before it, and the target at the period's end."""

    metric: str
    unit: str
    timing: Literal["leading", "lagging"]
    up_is_good: bool
    points: list[Point]
    total: Figure
    previous: Figure
    change: float | None
    target: float | None
    met: bool | None


class SeriesAnswer(ResponseModel):
    """Metrics of one group or account over time. `accounts` is how many are in the group now."""

    scope: Scope
    member: str
    interval: Interval
    period_start: date
    period_end: date
    previous_start: date
    accounts: int
    series: list[SeriesView]


class Compared(ResponseModel):
    """A metric of one member of a scope."""

    member: str
    accounts: int
    value: float | None
    n: int
    standard_error: float | None
    target: float | None
    met: bool | None


def _known(codes: Sequence[str]) -> list[Metric]:
    found, missing = known(codes)
    if missing:
        raise UnknownMetric(f"There is no metric {', '.join(missing)}; see GET /v1/metrics.")
    return found


@router.get("/metrics", operation_id="list-metrics")
async def list_metrics(_call: Reader) -> Metrics:
    """Every metric: what it says, in which unit, which way is good, and what it is made of."""
    return Metrics(items=[MetricView.model_validate(metric) for metric in (*METRICS.values(), *MONEY.values())])


@router.get("/metrics/series", operation_id="get-metric-series", response_model=SeriesAnswer)
async def get_metric_series(call: Reader, asked: Annotated[SeriesQuery, Query()]) -> Response:
    """Metrics as series, each with its n, the period before and the target. People are opaque owner ids."""
    async with call.read() as session:
        return await call.remembered(await _version(call, session), lambda: _series(call, session, asked))


async def _version(call: Call, session: AsyncSession) -> str:
    """What the default period and the figures are now."""
    return f"{call.now.date()}/{await version(session, call.tenant, 'figures')}"


async def _series(call: Call, session: AsyncSession, asked: SeriesQuery) -> bytes:
    metrics, period = _known(asked.metric), asked.period(call.now.date())
    if len(list(islice(period.points(asked.interval), LONGEST_SERIES + 1))) > LONGEST_SERIES:
        raise TooManyPoints(f"A series has {LONGEST_SERIES} points at most; ask for a shorter period.")
    if (asked.scope == "all") == bool(asked.member):
        raise MemberMismatch("Name a `member` of the scope; the scope `all` has none.")
    if asked.scope == "account" and not store.is_id(asked.member):
        raise UnknownAccount("There is no account of this id.")
    coarsest = "day" if asked.scope == "account" or asked.interval == "week" else asked.interval
    wanted = [*spans(period, coarsest=coarsest), *spans(period.previous, coarsest=coarsest, earlier=True)]
    whose = store.Whose(call.tenant, asked.scope, asked.member)
    found = await store.series(session, whose, metrics, wanted, asked.interval, period.end)
    if asked.scope == "account" and not found.accounts:
        raise UnknownAccount("There is no account of this id.")
    read = Read(period, asked.interval, found.accounts, found.points, found.earlier)
    answer = {
        "scope": asked.scope,
        "member": asked.member,
        "interval": asked.interval,
        "period_start": period.start,
        "period_end": period.end,
        "previous_start": period.previous.start,
        "accounts": found.accounts,
        "series": [
            _view(metric, values, found.targets[metric.code])
            for metric, values in zip(metrics, measured(metrics, read), strict=True)
        ],
    }
    return msgspec.json.encode(answer)


def _view(metric: Metric, found: Measured, target: float | None) -> dict[str, Any]:
    return {
        "metric": metric.code,
        "unit": metric.unit,
        "timing": metric.timing,
        "up_is_good": metric.up_is_good,
        "points": [
            {"period_start": start, "value": point.value, "n": point.n, "standard_error": point.standard_error}
            for start, point in found.points
        ],
        "total": found.total,
        "previous": found.previous,
        "change": change(found.total.value, found.previous.value),
        "target": target,
        "met": met(metric, found.total.value, target),
    }


@router.get("/metrics/compare", operation_id="compare-metric", response_model=Page[Compared])
async def compare_metric(call: Reader, page: PageRequest, asked: Annotated[CompareQuery, Query()]) -> Response:
    """A metric of every owner, territory or tier, ordered by its value; those without one come last."""
    async with call.read() as session:
        return await call.remembered(await _version(call, session), lambda: _compare(call, session, page, asked))


async def _compare(call: Call, session: AsyncSession, page: PageQuery, asked: CompareQuery) -> bytes:
    [metric], period = _known([asked.metric]), asked.period(call.now.date())
    wanted = spans(period, coarsest="quarter")
    if metric.looks_back:
        wanted += spans(period.previous, coarsest="quarter", earlier=True)
    rows = await store.compared(
        session,
        call.tenant,
        asked.scope,
        metric,
        wanted,
        period=period,
        ascending=asked.sort == "value",
        after=page.after,
        limit=page.limit + 1,
    )
    shown, cursor = page.cut(rows, key=lambda row: [None if isinf(row.rank) else row.rank, row.member])
    return msgspec.json.encode({"items": [_compared(metric, row) for row in shown], "next_cursor": cursor})


def _compared(metric: Metric, row: Row[Any]) -> dict[str, Any]:
    member, accounts, over, under, squares, n, _, target = tuple[Any, ...](row)
    found = valued(metric, over, under, squares, n)
    return {
        "member": member,
        "accounts": accounts,
        "value": found.value,
        "n": found.n,
        "standard_error": found.standard_error,
        "target": target,
        "met": met(metric, found.value, target),
    }
