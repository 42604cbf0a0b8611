"""Which metrics there are: each a named formula, leading or lagging, with its unit and which way is good. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

from metrics_svc.evidence.rules import FAMILIES
from metrics_svc.formulas.rules import Metric, Term

LONGEST_SERIES = 400
"""Points of a series, at most: a year by day fits."""


def _share(code: str, good: str, bad: str, *, timing: Literal["leading", "lagging"], formula: str) -> Metric:
    """A share of counts: of ``good`` and ``bad`` measures those that are good."""
    every = (*good.split(), *bad.split())
    return Metric(
        code=code,
        timing=timing,
        unit="share",
        up_is_good=True,
        formula=formula,
        over=tuple(Term(measure) for measure in good.split()),
        under=tuple(Term(measure) for measure in every),
        counted=every,
        has_error=True,
    )


def _mean(
    code: str, measure: str, unit: str, formula: str, *, up_is_good: bool = True, lagging: bool = False
) -> Metric:
    return Metric(
        code=code,
        timing="lagging" if lagging else "leading",
        unit=unit,
        up_is_good=up_is_good,
        formula=formula,
        over=(Term(measure, "total"),),
        under=(Term(measure),),
        counted=(measure,),
    )


def _rate(code: str, measure: str, formula: str, *, of: Literal["n", "total"] = "n", up_is_good: bool = True) -> Metric:
    return Metric(
        code=code,
        timing="leading",
        unit="per account and month",
        up_is_good=up_is_good,
        formula=formula,
        over=(Term(measure, of),),
        counted=(measure,),
        monthly=True,
    )


_MEETINGS_KEPT = "evidence:meeting-accepted evidence:meeting-held"
_MEETINGS_NOT = (
    "evidence:meeting-declined evidence:meeting-no-show evidence:meeting-cancelled-by-client "
    "evidence:meeting-unanswered"
)

_LEADING = (
    *(
        _rate(f"{side}-rate:{family}", f"{side}:{family}", f"{side} pieces of {family}", up_is_good=side == "positive")
        for family in FAMILIES
        for side in ("positive", "negative")
    ),
    _rate("balance", "balance", "sum of polarity times magnitude of all evidence", of="total"),
    _share(
        "acceptance-rate",
        _MEETINGS_KEPT,
        _MEETINGS_NOT,
        timing="leading",
        formula="meetings accepted or held / these and declined, unanswered, cancelled by the client, no-show",
    ),
    _share(
        "return-rate",
        "evidence:call-returned evidence:email-returned",
        "evidence:call-unreturned evidence:email-unreturned",
        timing="leading",
        formula="calls and e-mails returned / returned and unreturned",
    ),
    _mean("response-time", "response-time", "hours", "mean hours from an ask to its reply", up_is_good=False),
    replace(
        _mean("two-way-ratio", "contacts", "share", "contacts the client took part in / all contacts"), has_error=True
    ),
    _mean("multi-threading", "people", "people", "mean number of people met per account and month with contact"),
)

_LAGGING = (
    replace(
        _mean(
            "retention",
            "buyers",
            "share",
            "accounts buying in a quarter and the one before / buying in the one before; counted on a quarter's first",
            lagging=True,
        ),
        has_error=True,
    ),
    _mean("share-of-wallet", "share-of-wallet", "share", "mean of the reported shares of wallet", lagging=True),
    Metric(
        code="csat",
        timing="lagging",
        unit="percent",
        up_is_good=True,
        formula="100 times what answers are worth by their method (top 2 of the scale: 1) / answers",
        over=(Term("csat-satisfied", "total", 100.0),),
        under=(Term("csat-answer"),),
        counted=("csat-answer",),
        has_error=True,
    ),
    Metric(
        code="nps",
        timing="lagging",
        unit="points",
        up_is_good=True,
        formula="100 (promoters - detractors) / answers",
        over=(Term("nps-promoter", weight=100.0), Term("nps-detractor", weight=-100.0)),
        under=(Term("nps-answer"),),
        counted=("nps-answer",),
        has_error=True,
    ),
)

METRICS: Mapping[str, Metric] = {metric.code: metric for metric in (*_LEADING, *_LAGGING)}
"""The metrics without money, by their code."""


def _money(code: str, measure: str, formula: str) -> Metric:
    return Metric(
        code=code,
        timing="lagging",
        unit="currency",
        up_is_good=True,
        formula=formula,
        over=(Term(measure, "total"),),
        counted=(measure,),
    )


_GROWTH = replace(
    _money("growth", "revenue", "revenue / revenue of the period before - 1"),
    unit="share",
    under=(Term("revenue", "total", earlier=True),),
    shift=-1.0,
)

MONEY: Mapping[str, Metric] = {
    metric.code: metric
    for metric in (
        _money("revenue", "revenue", "sum of orders not cancelled, credit notes taken off"),
        _GROWTH,
        _money("revenue-reported", "revenue-reported", "sum of reported revenue, at the end of its period"),
        _money("profit", "profit-reported", "sum of reported profit, at the end of its period"),
    )
}
"""The metrics of money: one for each currency, as ``revenue:EUR``."""

_CURRENCY = re.compile(r"[A-Z]{3}")


def metric_of(code: str) -> Metric | None:
    """The metric of a code, with the currency after a colon where it is one of money; None: there is none."""
    name, _, currency = code.partition(":")
    if name not in MONEY or not _CURRENCY.fullmatch(currency):
        return METRICS.get(code)
    metric = MONEY[name]

    def of(measure: str) -> str:
        return f"{measure}:{currency}"

    return replace(
        metric,
        code=code,
        unit=currency if metric.unit == "currency" else metric.unit,
        over=tuple(replace(term, measure=of(term.measure)) for term in metric.over),
        under=tuple(replace(term, measure=of(term.measure)) for term in metric.under),
        counted=tuple(of(measure) for measure in metric.counted),
    )


def known(codes: Sequence[str]) -> tuple[list[Metric], list[str]]:
    """The metrics of codes, each once, and the codes that there is no metric of."""
    found = {code: metric_of(code) for code in codes}
    return [metric for metric in found.values() if metric], [code for code, metric in found.items() if not metric]
