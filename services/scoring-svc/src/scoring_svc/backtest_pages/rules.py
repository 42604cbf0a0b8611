"""A backtest's report as one HTML page with its plots drawn in SVG. Pure; brings no scripts and loads nothing.

What is drawn needs no style sheet, so that the page can be read where policies allow none.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from html import escape
from typing import Final

from scoring_svc.backtests.rules import FITTED, SCORECARD, Asked, Fit, Part, Ranking, Report
from scoring_svc.proof.rules import FEWEST, Estimate

SIDE: Final = 300
MARGIN: Final = 56
LOOKS: Final = {
    SCORECARD: ("#0b5394", ""),
    FITTED: ("#b45f06", ""),
    "days-since-last-act": ("#38761d", "6 3"),
    "number-of-acts": ("#741b47", "2 3"),
    "bg-nbd": ("#666666", "9 3 2 3"),
}
"""Colour and dashes of each ranking: told apart without colours too."""
WORDS: Final = {
    "bg-nbd": "BG/NBD",
    "yes": "the scorecard is better",
    "no": "the scorecard is worse",
    "undecided": "can't be told apart",
    "too-few-lost": f"fewer than {FEWEST} accounts were lost: nothing is concluded",
    "too-few-kept": f"fewer than {FEWEST} accounts stayed: nothing is concluded",
    "interval-spans-one-half": "the interval holds 0.5: may be chance",
    "fit-not-installed": "this installation can't fit: scikit-learn is not installed",
    "scorecard-not-confirmed": "what was learnt from contradicts the scorecard, which can't be stepped from",
    "nothing-to-change": "what was learnt from proposes the weights that there are",
}
_STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:80em;margin:2em auto;padding:0 1em;color:#222}"
    "table{border-collapse:collapse;margin:1em 0}"
    "td,th{padding:.25em .7em;border-bottom:1px solid #ccc;text-align:right}td{white-space:nowrap}"
    "td:first-child,th:first-child,td:last-child{text-align:left}figure{display:inline-block;margin:0 1em 1em 0}"
)

Point = tuple[float, float]


def page(asked: Asked, report: Report, finished_at: datetime) -> str:
    """The whole page."""
    title = f"Backtest of {finished_at:%Y-%m-%d %H:%M} UTC"
    parts = [
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>',
        f"<style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>",
        f"<p>{escape(_question(asked, report))}</p>",
        "<h2>All dates together</h2>",
        *_part(report.pooled, "rankings"),
        "<h2>Date by date</h2>",
        _by_date(report.dates),
        *(_fit(report.fit) if report.fit is not None else ()),
        f"<h2>How to read it</h2><p>{escape(_reading(asked))}</p></body></html>",
    ]
    return "\n".join(parts)


def _question(asked: Asked, report: Report) -> str:
    acts = "acts of the client" if asked.act is None else f"acts of the kind {asked.act}"
    lost = "an outcome says churned" if asked.lost_by == "outcomes" else f"there are no {acts}"
    sampled = f" Of {report.one_in} accounts one was looked at." if report.one_in > 1 else ""
    return (
        f"Accounts with at least {asked.min_acts} {acts} before a date, as they looked on {len(asked.dates)} dates "
        f"from {asked.dates[0]} to {asked.dates[-1]}. Lost is one of which {lost} within "
        f"{asked.horizon_days} days.{sampled}"
    )


def _reading(asked: Asked) -> str:
    return (
        "AUC: the chance that an account that was lost had looked riskier than one that stayed; 0.5 is chance. In "
        "brackets 95 % intervals; an account seen at several dates counts as one. Difference: the scorecard's AUC less "
        "that of the ranking, on the same accounts; only an interval without 0 tells them apart. Lift: how many times "
        "more losses there are among the riskiest tenth. Precision: the share of losses among the riskiest 10 or 50. "
        "Brier: the squared error of chances of loss (0 is clairvoyant), beside that of foretelling everybody the "
        f"same; chances for a date are learnt from dates {asked.horizon_days} days earlier and more. Nothing is "
        f"concluded where fewer than {FEWEST} accounts were lost, or stayed."
    )


def _part(part: Part, name: str) -> Iterator[str]:
    yield f"<p>{part.cases:,} cases of {part.accounts:,} accounts, {part.lost:,} lost.</p>"
    if part.inconclusive is not None:
        yield f"<p><strong>No conclusion: {_words(part.inconclusive)}.</strong></p>"
        return
    heads = ("ranking", "AUC", "mean of dates", "difference", "lift", "precision@10", "@50", "Brier", "of the rate", "")
    rows = [
        (
            _words(ranking.name),
            _interval(ranking.verdict.auc),
            _number(ranking.mean_auc),
            "" if ranking.advantage is None else _interval(ranking.advantage, "+.3f"),
            _number(ranking.verdict.lift_at_tenth, ".2f"),
            _number(ranking.verdict.precision_at.get(10), ".2f"),
            _number(ranking.verdict.precision_at.get(50), ".2f"),
            _number(ranking.verdict.brier, ".4f"),
            _number(ranking.verdict.brier_of_base_rate, ".4f"),
            _words(ranking.verdict.inconclusive or ranking.is_beaten or ""),
        )
        for ranking in part.rankings
    ]
    yield _table(heads, rows)
    yield _curves(f"{name}: ROC", "share of those who stayed", "share of the lost", part.rankings, _roc, 1.0)
    highest = max([2.0, *(y for ranking in part.rankings for _, y in _lifts(ranking, part))])
    yield _curves(
        f"{name}: lift", "riskiest share", "times the rate of all", part.rankings, lambda r: _lifts(r, part), highest
    )
    told = [ranking for ranking in part.rankings if ranking.verdict.calibration]
    if told:
        top = max(0.1, *(max(b.foretold, b.lost) for r in told for b in r.verdict.calibration))
        yield _curves(f"{name}: calibration", "chance foretold", "share lost", told, _calibration, top, square=True)


def _roc(ranking: Ranking) -> Sequence[Point]:
    return ranking.verdict.curve


def _calibration(ranking: Ranking) -> Sequence[Point]:
    return [(group.foretold, group.lost) for group in ranking.verdict.calibration]


def _lifts(ranking: Ranking, part: Part) -> Sequence[Point]:
    """The lift among the riskiest share, from one in fifty on: before, few cases make it leap."""
    rate = part.lost / part.cases
    shares = [(kept * (1.0 - rate) + lost * rate, lost) for kept, lost in ranking.verdict.curve]
    return [(share, lost / share) for share, lost in shares if share >= 0.02]


def _curves(
    title: str,
    across: str,
    up: str,
    rankings: Sequence[Ranking],
    points: Callable[[Ranking], Sequence[Point]],
    highest: float,
    *,
    square: bool = False,
) -> str:
    """Lines of rankings; across goes to 1, or as far as up when `square`."""
    widest, full = (highest if square else 1.0), SIDE + 2 * MARGIN

    def place(x: float, y: float) -> str:
        return f"{MARGIN + SIDE * x / widest:.1f},{MARGIN + SIDE * (1.0 - y / highest):.1f}"

    height = full + 18 * len(rankings)
    drawn = f'height="{height}" role="img" aria-label="{escape(title)}" font-family="sans-serif" font-size="12"'
    parts = [
        f'<figure><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {full} {height}" width="{full}" {drawn}>',
        f'<rect width="{full}" height="{height}" fill="#ffffff"/>',
        f'<text x="{MARGIN}" y="20" font-size="14" fill="#222222">{escape(title)}</text>',
        f'<rect x="{MARGIN}" y="{MARGIN}" width="{SIDE}" height="{SIDE}" fill="none" stroke="#999999"/>',
        *_axes(widest, highest, across, up),
    ]
    if highest <= 1.0:
        parts.append(_line([place(0, 0), place(widest, highest)], "#bbbbbb", "1 3"))
    for number, ranking in enumerate(rankings):
        colour, dashes = LOOKS.get(ranking.name, ("#000000", ""))
        parts.append(_line([place(x, y) for x, y in points(ranking)], colour, dashes))
        y = full + 18 * number
        parts.append(_line([f"{MARGIN},{y}", f"{MARGIN + 36},{y}"], colour, dashes))
        parts.append(f'<text x="{MARGIN + 44}" y="{y + 4}" fill="#222222">{_words(ranking.name)}</text>')
    return "".join([*parts, "</svg></figure>"])


def _line(places: Sequence[str], colour: str, dashes: str) -> str:
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'<polyline points="{" ".join(places)}" fill="none" stroke="{colour}" stroke-width="2"{dashed}/>'


def _axes(widest: float, highest: float, across: str, up: str) -> Iterator[str]:
    bottom, middle = MARGIN + SIDE, MARGIN + SIDE / 2
    for step in range(5):
        x, y = MARGIN + SIDE * step / 4, bottom - SIDE * step / 4
        yield f'<text x="{x:g}" y="{bottom + 15}" text-anchor="middle" fill="#444444">{widest * step / 4:.2g}</text>'
        yield f'<text x="{MARGIN - 6}" y="{y + 4:g}" text-anchor="end" fill="#444444">{highest * step / 4:.2g}</text>'
    yield f'<text x="{middle:g}" y="{bottom + 32}" text-anchor="middle" fill="#444444">{escape(across)}</text>'
    turned = f'transform="rotate(-90 12 {middle:g})"'
    yield f'<text x="12" y="{middle:g}" text-anchor="middle" fill="#444444" {turned}>{escape(up)}</text>'


def _by_date(parts: Sequence[Part]) -> str:
    names = list(dict.fromkeys(ranking.name for part in parts for ranking in part.rankings))
    rows = []
    for part in parts:
        found = {ranking.name: ranking.verdict.auc for ranking in part.rankings}
        aucs = [_interval(found[name]) if name in found else "" for name in names]
        said = "" if part.inconclusive is None else _words(part.inconclusive)
        rows.append((str(part.day), f"{part.cases:,}", f"{part.lost:,}", *aucs, said))
    return _table(("date", "cases", "lost", *(f"AUC: {_words(name)}" for name in names), ""), rows)


def _fit(fit: Fit) -> Iterator[str]:
    yield "<h2>Fitted weights</h2>"
    learnt = ", ".join(map(str, fit.learnt_from))
    yield f"<p>Learnt from {learnt}: {fit.cases:,} cases, {fit.lost:,} lost.</p>"
    if fit.refused is not None or fit.tested is None:
        yield f"<p><strong>No proposal: {_words(fit.refused or '')}.</strong></p>"
        return
    tested = ", ".join(map(str, fit.tested_on))
    yield f"<p>Proposed as draft version {fit.draft_version}, and tested on {tested}, of which nothing was learnt:</p>"
    yield from _part(fit.tested, "fitted")
    rows = [(_words(f"{c.of} {c.name}"), _number(c.before, ".2f"), _number(c.after, ".2f"), "") for c in fit.changes]
    yield _table(("weight", "before", "after", ""), rows)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of texts that are escaped already."""
    head = "".join(f'<th scope="col">{text}</th>' for text in heads)
    body = "".join(f"<tr>{''.join(f'<td>{text}</td>' for text in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _interval(estimate: Estimate, form: str = ".3f") -> str:
    return f"{estimate.value:{form}} [{estimate.low:{form}}, {estimate.high:{form}}]"


def _number(value: float | None, form: str = ".3f") -> str:
    return "" if value is None else f"{value:{form}}"


def _words(code: str) -> str:
    """What a code says, or the code in plain letters; safe inside HTML."""
    return escape(WORDS.get(code, code.replace("-", " ")))
