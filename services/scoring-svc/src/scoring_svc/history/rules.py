"""The picture of an account's past health, as SVG text. Pure: times are UTC epoch seconds, scores 0 to 100."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Final, NamedTuple

WIDTH: Final = 960
HEIGHT: Final = 340
_LEFT, _RIGHT, _TOP, _BOTTOM = 48.0, 16.0, 56.0, 44.0
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
  .resolved path{fill:#1d7a3a}
  @media (prefers-color-scheme:dark){
    text{fill:#ddd} .p{fill:#16181c} .healthy{fill:#17321e} .watch{fill:#3a3013} .at-risk{fill:#3f1d1c}
    .g{stroke:#555} .s{stroke:#8ab4f8} .d{fill:#8ab4f8} .m line{stroke:#aaa} .m path{fill:#aaa}
    .opened path,.reopened path{fill:#f2b8b5} .resolved path{fill:#8fd6a3}}
"""


class Point(NamedTuple):
    """Health from this instant on; None: so little is known that there is no band."""

    at: float
    score: float | None


class Mark(NamedTuple):
    """What happened at an instant: scorecard, opened, resolved or reopened, and in words."""

    at: float
    kind: str
    words: str


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

    def y(self, score: float) -> float:
        """Where a score lies: 100 on top."""
        return _TOP + (1.0 - score / 100.0) * (HEIGHT - _TOP - _BOTTOM)


def picture(name: str, points: Sequence[Point], marks: Sequence[Mark], frame: Frame) -> str:
    """The chart of one account, oldest point first; `since` lies before `until`. The last point holds until the end."""
    title = f"Health of {_clean(name)}, {_date(frame.since)} to {_date(frame.until)}"
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="group" aria-labelledby="title desc">',
        f'<title id="title">{escape(title)}</title><desc id="desc">{escape(_told(points, marks))}</desc>',
        f'<style>{_STYLE}</style><rect class="p" width="{WIDTH}" height="{HEIGHT}"/>',
        f'<text class="t" x="{_LEFT:g}" y="24">{escape(title)}</text>',
        *_bands(frame),
        *_ticks(frame),
        *_lines(points, frame),
        *(_mark(mark, frame) for mark in marks),
        "</svg>",
    ]
    return "\n".join(parts)


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
    edges = (0.0, frame.watch_from, frame.healthy_from, 100.0)
    for band, low, high in zip(("at-risk", "watch", "healthy"), edges, edges[1:], strict=False):
        top, width = frame.y(high), WIDTH - _LEFT - _RIGHT
        yield (
            f'<rect class="{band}" x="{_LEFT:g}" y="{top:.1f}" width="{width:g}" height="{frame.y(low) - top:.1f}"/>'
            f'<text x="{WIDTH - _RIGHT - 6:g}" y="{top + 14:.1f}" text-anchor="end">{band}</text>'
        )


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
    return (
        f'<g class="m {mark.kind}" role="img" aria-label="{words}"><title>{words}</title>'
        f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP:g}" y2="{HEIGHT - _BOTTOM:g}"/>'
        f'<path d="M{x - 5:.1f} {_TOP - 9:g}h10l-5 9z"/></g>'
    )


def _told(points: Sequence[Point], marks: Sequence[Mark]) -> str:
    scores = [point.score for point in points if point.score is not None]
    if not scores:
        return "Too little is known for a score."
    return (
        f"From {scores[0]:.0f} to {scores[-1]:.0f}, lowest {min(scores):.0f}, highest {max(scores):.0f}; "
        f"{len(marks)} marks."
    )


def _date(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).date().isoformat()


def _clean(words: str) -> str:
    return words.translate(_NOT_XML)
