"""The picture of an account's past health, as SVG text. Pure: times are UTC epoch seconds, scores 0 to 100."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Final, NamedTuple

WIDTH: Final = 960
HEIGHT: Final = 400
MOST_MARKS: Final = 40
MOST_SAID: Final = 20
_LEFT, _RIGHT, _TOP, _BOTTOM = 48.0, 16.0, 76.0, 84.0
_STEPS: Final = tuple(3_600 * hours for hours in (1, 3, 6, 24, 48, 168, 336, 720, 2_184, 4_368, 8_760, 17_520))
_MOST_TICKS: Final = 8
_DAY: Final = 86_400
# Of these characters XML 1.0 allows none, not even escaped.
_NOT_XML: Final = {code: None for code in range(32) if code not in (9, 10, 13)} | {0xFFFE: None, 0xFFFF: None}
_STYLE: Final = """
  text{font:12px system-ui,sans-serif;fill:#333} .t{font-size:16px;font-weight:600}
  .p{fill:#fff} .healthy{fill:#e3f4e7} .watch{fill:#fdf3d8} .at-risk{fill:#fbe1e0}
  .g{stroke:#bbb;stroke-width:.5} .s{fill:none;stroke:#1b4f9c;stroke-width:2;stroke-linejoin:round} .d{fill:#1b4f9c}
  .m line{stroke:#555;stroke-dasharray:3 3} .m path{fill:#555} .opened path,.reopened path{fill:#b3261e}
  .resolved path{fill:#1d7a3a} .cap-began path{fill:#8a5a00} .cap-ended path{fill:none;stroke:#8a5a00}
  .override-set path{fill:#6b3fa0} .override-ended path{fill:none;stroke:#6b3fa0}
  .o{fill:#6b3fa0;fill-opacity:.12;stroke:#6b3fa0;stroke-width:1.5;stroke-dasharray:7 4}
  @media (prefers-color-scheme:dark){
    text{fill:#ddd} .p{fill:#16181c} .healthy{fill:#17321e} .watch{fill:#3a3013} .at-risk{fill:#3f1d1c}
    .g{stroke:#555} .s{stroke:#8ab4f8} .d{fill:#8ab4f8} .m line{stroke:#aaa} .m path{fill:#aaa}
    .opened path,.reopened path{fill:#f2b8b5} .resolved path{fill:#8fd6a3}
    .cap-began path{fill:#f0c36d} .cap-ended path{stroke:#f0c36d} .override-set path{fill:#cfb2f5}
    .override-ended path{stroke:#cfb2f5} .o{fill:#cfb2f5;stroke:#cfb2f5}}
"""


class _Sort(NamedTuple):
    """How a kind of mark is drawn: its words, its symbol, how far above the chart, and what goes first (least)."""

    words: str
    symbol: str
    above: float
    rank: int


_SORTS: Final = {
    "opened": _Sort("alert opened", "m-5-4h10l-5 9z", 9.0, 0),
    "reopened": _Sort("alert reopened", "m-5-4h10l-5 9z", 9.0, 0),
    "resolved": _Sort("alert resolved", "m-5 5h10l-5-9z", 9.0, 2),
    "cap-began": _Sort("cap began", "m-4-4h8v8h-8z", 22.0, 1),
    "cap-ended": _Sort("cap ended", "m-4-4h8v8h-8z", 22.0, 2),
    "override-set": _Sort("override set", "m0-5l5 5-5 5-5-5z", 22.0, 1),
    "override-ended": _Sort("override ended", "m0-5l5 5-5 5-5-5z", 22.0, 2),
    "scorecard": _Sort("scorecard", "m-1-5h2v4h4v2h-4v4h-2v-4h-4v-2h4z", 22.0, 3),
}


class Point(NamedTuple):
    """Health from this instant on; None: so little is known that there is no band."""

    at: float
    score: float | None


class Mark(NamedTuple):
    """What happened at an instant: one of the kinds that history tells, and what it is about."""

    at: float
    kind: str
    about: str

    @property
    def words(self) -> str:
        """What happened, for a person."""
        return f"{_SORTS[self.kind].words} ({self.about})"


class Said(NamedTuple):
    """What a person set for a while, beside what was computed: a score or a band, one of the two."""

    since: float
    until: float
    score: float | None
    band: str | None

    @property
    def words(self) -> str:
        """What was set, for a person."""
        what = f"band {self.band}" if self.score is None else f"score {self.score:g}"
        return f"{_date(self.since)} to {_date(self.until)}: {what}, set by a person"


class Frame(NamedTuple):
    """What the picture shows: a span of time, and the scores from which on accounts are watched and healthy."""

    since: float
    until: float
    watch_from: float
    healthy_from: float

    def x(self, at: float) -> float:
        """Where an instant lies; what is outside of the span lies on its edge."""
        share = (min(max(at, self.since), self.until) - self.since) / (self.until - self.since)
        return _LEFT + share * (WIDTH - _LEFT - _RIGHT)

    def edges(self, band: str) -> tuple[float, float]:
        """The lowest and the highest score of a band."""
        found = {"at-risk": (0.0, self.watch_from), "watch": (self.watch_from, self.healthy_from)}
        return found.get(band, (self.healthy_from, 100.0))

    def y(self, score: float) -> float:
        """Where a score lies: 100 on top."""
        return _TOP + (1.0 - score / 100.0) * (HEIGHT - _TOP - _BOTTOM)


def picture(name: str, points: Sequence[Point], marks: Sequence[Mark], frame: Frame, said: Sequence[Said] = ()) -> str:
    """The chart of one account, oldest first; `since` lies before `until`. The last point holds until the end.

    Of many marks the 40 that say most are drawn: what began before what ended, scorecards last, new before old;
    of what people set the last 20.
    """
    title = f"Health of {_clean(name)}, {_date(frame.since)} to {_date(frame.until)}"
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    drawn, said = chosen(marks), said[-MOST_SAID:]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="group" aria-labelledby="title desc">',
        f'<title id="title">{escape(title)}</title><desc id="desc">{escape(_told(points, marks, drawn, said))}</desc>',
        f'<style>{_STYLE}</style><rect class="p" width="{WIDTH}" height="{HEIGHT}"/>',
        f'<text class="t" x="{_LEFT:g}" y="24">{escape(title)}</text>',
        *_bands(frame),
        *(_said(each, frame) for each in said),
        *_ticks(frame),
        *_lines(points, frame),
        *(_mark(mark, frame) for mark in drawn),
        *_legend(drawn, said, len(marks) - len(drawn)),
        "</svg>",
    ]
    return "\n".join(parts)


def chosen(marks: Sequence[Mark]) -> list[Mark]:
    """The marks that are drawn, oldest first: all, or of many those that say most."""
    if len(marks) <= MOST_MARKS:
        return list(marks)
    first = sorted(range(len(marks)), key=lambda place: (_SORTS[marks[place].kind].rank, -marks[place].at))
    return [marks[place] for place in sorted(first[:MOST_MARKS])]


def pieces(points: Sequence[Point], until: float) -> list[list[tuple[float, float]]]:
    """The line's unbroken parts as (time, score): each ends where nothing is known any more, or at `until`."""
    found: list[list[tuple[float, float]]] = []
    known = False
    for point in points:
        if point.score is None:
            if known:
                found[-1].append((point.at, found[-1][-1][1]))
            known = False
            continue
        if not known:
            found.append([])
        found[-1].append((point.at, point.score))
        known = True
    if known and found[-1][-1][0] < until:
        found[-1].append((until, found[-1][-1][1]))
    return found


def tick_times(since: float, until: float) -> list[int]:
    """Round instants in the span, at most eight unless it is longer than sixteen years."""
    step = next((step for step in _STEPS if (until - since) / step <= _MOST_TICKS - 1), _STEPS[-1])
    first = -int(-since // step) * step
    return list(range(first, int(until) + 1, step))


def _bands(frame: Frame) -> Iterator[str]:
    for band in ("at-risk", "watch", "healthy"):
        low, high = frame.edges(band)
        top, width = frame.y(high), WIDTH - _LEFT - _RIGHT
        yield (
            f'<rect class="{band}" x="{_LEFT:g}" y="{top:.1f}" width="{width:g}" height="{frame.y(low) - top:.1f}"/>'
            f'<text x="{WIDTH - _RIGHT - 6:g}" y="{top + 14:.1f}" text-anchor="end">{band}</text>'
        )


def _said(said: Said, frame: Frame) -> str:
    """A dashed line at the score that was set, or a dashed box around the band."""
    left, right = frame.x(said.since), frame.x(said.until)
    if said.score is not None:
        shape = f'<path class="o" d="M{left:.1f} {frame.y(said.score):.1f}H{right:.1f}"/>'
    else:
        low, high = frame.edges(said.band or "")
        size = f'width="{right - left:.1f}" height="{frame.y(low) - frame.y(high):.1f}"'
        shape = f'<rect class="o" x="{left:.1f}" y="{frame.y(high):.1f}" {size}/>'
    return f'<g role="img" aria-label="{said.words}"><title>{said.words}</title>{shape}</g>'


def _ticks(frame: Frame) -> Iterator[str]:
    for score in range(0, 101, 20):
        y = frame.y(score)
        yield f'<line class="g" x1="{_LEFT:g}" x2="{WIDTH - _RIGHT:g}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text x="{_LEFT - 8:g}" y="{y + 4:.1f}" text-anchor="end">{score}</text>'
    for at in tick_times(frame.since, frame.until):
        x, bottom = frame.x(at), HEIGHT - _BOTTOM
        label = _date(at) if at % _DAY == 0 else datetime.fromtimestamp(at, UTC).strftime("%H:%M")
        yield f'<line class="g" x1="{x:.1f}" x2="{x:.1f}" y1="{bottom:g}" y2="{bottom + 5:g}"/>'
        yield f'<text x="{x:.1f}" y="{bottom + 20:g}" text-anchor="middle">{label}</text>'


def _lines(points: Sequence[Point], frame: Frame) -> Iterator[str]:
    for piece in pieces(points, frame.until):
        if len(piece) == 1:
            yield f'<circle class="d" cx="{frame.x(piece[0][0]):.1f}" cy="{frame.y(piece[0][1]):.1f}" r="3"/>'
        else:
            places = " ".join(f"{frame.x(at):.1f},{frame.y(score):.1f}" for at, score in piece)
            yield f'<polyline class="s" points="{places}"/>'


def _mark(mark: Mark, frame: Frame) -> str:
    x, words = frame.x(mark.at), escape(f"{_date(mark.at)}: {_clean(mark.words)}")
    sort = _SORTS[mark.kind]
    return (
        f'<g class="m {mark.kind}" role="img" aria-label="{words}"><title>{words}</title>'
        f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP:g}" y2="{HEIGHT - _BOTTOM:g}"/>'
        f'<path d="M{x:.1f} {_TOP - sort.above:g}{sort.symbol}"/></g>'
    )


def _legend(drawn: Sequence[Mark], said: Sequence[Said], left_out: int) -> Iterator[str]:
    """What the symbols mean that are there, in two lines at most."""
    there = {mark.kind for mark in drawn}
    entries = [('<path class="s" d="M{x:g} {y:g}m-8 0h16"/>', "computed score")]
    if said:
        entries.append(('<path class="o" d="M{x:g} {y:g}m-8 0h16"/>', "set by a person"))
    for kind, sort in _SORTS.items():
        if kind in there:
            entries.append((f'<g class="m {kind}"><path d="M{{x:g}} {{y:g}}{sort.symbol}"/></g>', sort.words))
    if left_out:
        entries.append(("", f"{left_out} more marks not drawn"))
    x, y = _LEFT + 8.0, HEIGHT - 36.0
    for symbol, words in entries:
        width = 32.0 + 7.0 * len(words)
        if x + width > WIDTH:
            x, y = _LEFT + 8.0, y + 22.0
        yield symbol.format(x=x, y=y) + f'<text x="{x + 13:g}" y="{y + 4:g}">{words}</text>'
        x += width


def _told(points: Sequence[Point], marks: Sequence[Mark], drawn: Sequence[Mark], said: Sequence[Said]) -> str:
    scores = [point.score for point in points if point.score is not None]
    found = "Too little is known for a score"
    if scores:
        found = f"From {scores[0]:.0f} to {scores[-1]:.0f}, lowest {min(scores):.0f}, highest {max(scores):.0f}"
    happened = Counter(_SORTS[mark.kind].words for mark in marks)
    told = [found, *(f"{words} {times} times" if times > 1 else words for words, times in happened.items())]
    told += [each.words for each in said]
    if len(drawn) < len(marks):
        told.append(f"{len(drawn)} of {len(marks)} marks are drawn")
    return "; ".join(told) + "."


def _date(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).date().isoformat()


def _clean(words: str) -> str:
    return words.translate(_NOT_XML)
