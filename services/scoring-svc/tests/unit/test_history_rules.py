"""The picture: breaks where nothing is known, has round dates, and is XML whatever it is told."""

from itertools import pairwise
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from scoring_svc.history.rules import Frame, Mark, Point, picture, pieces, tick_times

DAY = 86_400.0
FRAME = Frame(0.0, 90 * DAY, 40.0, 70.0)


def test_the_line_breaks_where_nothing_is_known() -> None:
    points = [Point(1.0, 60.0), Point(2.0, 50.0), Point(3.0, None), Point(5.0, None), Point(6.0, 40.0)]
    assert pieces(points, 9.0) == [[(1.0, 60.0), (2.0, 50.0), (3.0, 50.0)], [(6.0, 40.0), (9.0, 40.0)]]
    assert pieces([Point(1.0, None)], 9.0) == []
    assert pieces([Point(9.0, 40.0)], 9.0) == [[(9.0, 40.0)]]


@given(st.integers(0, 2_000_000_000), st.integers(60, 3_660 * 86_400))
def test_dates_are_few_round_and_within_the_span(since: int, length: int) -> None:
    found = tick_times(since, since + length)
    assert len(found) <= 8
    assert all(since <= at <= since + length and at % 3_600 == 0 for at in found)
    assert len({later - at for at, later in pairwise(found)}) <= 1


@given(
    st.text(),
    st.lists(st.tuples(st.floats(0, 90 * DAY), st.none() | st.floats(0, 100))),
    st.lists(st.tuples(st.floats(0, 90 * DAY), st.text())),
)
def test_it_is_well_formed_and_nothing_is_drawn_outside(
    name: str, told: list[tuple[float, float | None]], marked: list[tuple[float, str]]
) -> None:
    points = [Point(at, score) for at, score in sorted(told, key=lambda each: each[0])]
    drawn = picture(name, points, [Mark(at, "opened", words) for at, words in marked], FRAME)
    tree = ElementTree.fromstring(drawn.encode())
    for line in tree.iter("{http://www.w3.org/2000/svg}polyline"):
        for place in line.attrib["points"].split():
            x, y = map(float, place.split(","))
            assert 48 <= x <= 944
            assert 56 <= y <= 296
    assert len(tree.findall(".//{http://www.w3.org/2000/svg}g[@role='img']")) == len(marked)
