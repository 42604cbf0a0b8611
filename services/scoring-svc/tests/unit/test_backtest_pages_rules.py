"""The page of a report: what it says is in the report, and nothing in it can be more than text."""

from dataclasses import replace
from datetime import UTC, date, datetime
from random import Random
from xml.etree import ElementTree

import pytest

from scoring_svc.backtest_pages.rules import page
from scoring_svc.backtests.rules import Asked, Case, Change, Fit, Report, report

DATES = (date(2026, 2, 1), date(2026, 6, 1))
ASKED = Asked(DATES, 90, "silence", "order-placed", 5, "current", True)
NOW = datetime(2026, 11, 24, 13, 0, tzinfo=UTC)


@pytest.fixture
def found() -> Report:
    random = Random(2)
    names = ("scorecard", "days-since-last-act", "number-of-acts", "bg-nbd")
    cases = [
        Case(str(i), day, i % 3 == 0, {name: (i % 3 == 0) + random.random() * 2 for name in names})
        for day in DATES
        for i in range(90)
    ]
    return report(cases, DATES, 90, sampled=3)


def pictures(html: str) -> list[ElementTree.Element]:
    """The drawings, which are XML."""
    return [ElementTree.fromstring("<svg" + part.partition("</svg>")[0] + "</svg>") for part in html.split("<svg")[1:]]


def test_the_page_says_what_was_asked_and_found(found: Report) -> None:
    html = page(ASKED, found, NOW)
    assert "at least 5 acts of the kind order-placed" in html
    assert "Of 3 accounts one was looked at" in html
    assert "180 cases of 90 accounts, 60 lost" in html
    for ranking in found.pooled.rankings:
        auc = ranking.verdict.auc
        assert f"{auc.value:.3f} [{auc.low:.3f}, {auc.high:.3f}]" in html
    assert "<td>2026-02-01</td>" in html


def test_three_plots_have_a_line_for_each_ranking_within_the_frame(found: Report) -> None:
    drawn = pictures(page(ASKED, found, NOW))
    assert [svg.attrib["aria-label"] for svg in drawn] == ["rankings: ROC", "rankings: lift", "rankings: calibration"]
    for svg in drawn:
        lines = svg.findall("{http://www.w3.org/2000/svg}polyline")
        assert len(lines) >= 2 * 4
        for line in lines:
            for place in line.attrib["points"].split():
                x, y = map(float, place.split(","))
                assert 0 <= x <= float(svg.attrib["width"])
                assert 0 <= y <= float(svg.attrib["height"])


def test_what_is_not_concluded_is_said_in_words(found: Report) -> None:
    nothing = replace(found, pooled=replace(found.pooled, inconclusive="too-few-lost", rankings=()))
    html = page(ASKED, nothing, NOW)
    assert "fewer than 10 accounts were lost: nothing is concluded" in html
    assert not pictures(html)


def test_a_fit_is_shown_with_its_weights_and_its_own_test(found: Report) -> None:
    change = Change("kind", "order-placed", 1.5, 2.75)
    fit = Fit(None, DATES[:1], 90, 30, (change,), DATES[1:], found.dates[1], draft_version=4)
    html = page(ASKED, replace(found, fit=fit), NOW)
    assert "Proposed as draft version 4, and tested on 2026-06-01" in html
    assert "<td>kind order placed</td><td>1.50</td><td>2.75</td>" in html
    assert "fitted: ROC" in html


def test_a_fit_that_proposes_nothing_says_why(found: Report) -> None:
    html = page(ASKED, replace(found, fit=Fit("fit-not-installed", DATES[:1], 90, 30)), NOW)
    assert "scikit-learn is not installed" in html


def test_nothing_in_a_page_is_more_than_text(found: Report) -> None:
    evil = "<script>alert(1)</script>"
    change = Change("kind", evil, 1.0, 2.0)
    fit = Fit(None, DATES[:1], 90, 30, (change,), DATES[1:], found.dates[1])
    html = page(replace(ASKED, act=evil), replace(found, fit=fit), NOW)
    assert "<script" not in html
    assert html.count("&lt;script&gt;") == 3
