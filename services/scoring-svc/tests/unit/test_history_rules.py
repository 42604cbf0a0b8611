"""The picture: breaks where nothing is known, has round dates, and is XML whatever it is told."""

from itertools import pairwise
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from scoring_svc.history.rules import (
    MOST_MARKS,
    MOST_SAID,
    Frame,
    Mark,
    Point,
    Said,
    chosen,
    picture,
    pieces,
    tick_times,
)

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


SVG = "{http://www.w3.org/2000/svg}"
KINDS = (
    "opened",
    "reopened",
    "resolved",
    "cap-began",
    "cap-ended",
    "override-set",
    "override-ended",
    "scorecard",
)
MOMENTS = st.floats(0, 90 * DAY)
SAID = st.builds(Said, MOMENTS, MOMENTS, st.floats(0, 100), st.none()) | st.builds(
    Said, MOMENTS, MOMENTS, st.none(), st.sampled_from(["healthy", "watch", "at-risk"])
)


@given(
    st.text(),
    st.lists(st.tuples(st.floats(-DAY, 91 * DAY), st.none() | st.floats(0, 100))),
    st.lists(st.builds(Mark, MOMENTS, st.sampled_from(KINDS), st.text()), max_size=60),
    st.lists(SAID, max_size=25),
)
def test_it_is_well_formed_and_nothing_is_drawn_outside(
    name: str, told: list[tuple[float, float | None]], marks: list[Mark], said: list[Said]
) -> None:
    points = [Point(at, score) for at, score in sorted(told, key=lambda each: each[0])]
    tree = ElementTree.fromstring(picture(name, points, marks, FRAME, said).encode())
    places = [place for line in tree.iter(f"{SVG}polyline") for place in line.attrib["points"].split()]
    for x, y in (map(float, place.split(",")) for place in places):
        assert 48 <= x <= 944
        assert 76 <= y <= 316
    for text in tree.iter(f"{SVG}text"):
        assert float(text.attrib["x"]) <= 944
        assert float(text.attrib["y"]) < 400
    named = tree.findall(f".//{SVG}g[@role='img']")
    assert len(named) == min(len(marks), MOST_MARKS) + min(len(said), MOST_SAID)
    assert all(group.find(f"{SVG}title") is not None for group in named)


def test_of_many_marks_those_are_drawn_that_say_most_and_the_legend_says_so() -> None:
    marks = [Mark(n * DAY, "scorecard" if n % 3 else "opened", "x") for n in range(80)]
    drawn = chosen(marks)
    assert drawn == sorted(drawn, key=lambda mark: mark.at)
    assert len(drawn) == MOST_MARKS
    opened = [mark for mark in marks if mark.kind == "opened"]
    assert [mark for mark in drawn if mark.kind == "opened"] == opened
    assert [mark for mark in drawn if mark.kind == "scorecard"] == [m for m in marks if m.kind == "scorecard"][-13:]
    whole = picture("x", [Point(0.0, 50.0)], marks, FRAME)
    assert "40 more marks not drawn" in whole
    assert "alert opened 27 times; scorecard 53 times; 40 of 80 marks are drawn." in " ".join(_desc(whole))
    assert "not drawn" not in picture("x", [], marks[:MOST_MARKS], FRAME)


def test_the_legend_names_what_is_there_and_nothing_else() -> None:
    plain = picture("x", [Point(0.0, 50.0)], [], FRAME)
    assert "computed score" in plain
    assert "set by a person" not in plain
    told = picture("x", [], [Mark(DAY, "cap-began", "renewal-declined")], FRAME, [Said(DAY, 2 * DAY, 80.0, None)])
    assert _desc(told) == [
        "Too little is known for a score; cap began; 1970-01-02 to 1970-01-03: score 80, set by a person."
    ]
    legend = [text.text for text in ElementTree.fromstring(told).iter(f"{SVG}text")][-3:]
    assert legend == ["computed score", "set by a person", "cap began"]


def test_what_a_person_set_is_a_line_at_a_score_and_a_box_around_a_band() -> None:
    score, band = Said(-DAY, 45 * DAY, 100.0, None), Said(45 * DAY, 200 * DAY, None, "watch")
    drawn = ElementTree.fromstring(picture("x", [], [], FRAME, [score, band]))
    line, box = drawn.find(f".//{SVG}g/{SVG}path"), drawn.find(f".//{SVG}g/{SVG}rect")
    assert line is not None
    assert box is not None
    assert line.attrib["d"] == "M48.0 76.0H496.0"
    assert (box.attrib["x"], box.attrib["width"]) == ("496.0", "448.0")
    assert (float(box.attrib["y"]), float(box.attrib["height"])) == (FRAME.y(70.0), FRAME.y(40.0) - FRAME.y(70.0))


def _desc(drawn: str) -> list[str | None]:
    return [desc.text for desc in ElementTree.fromstring(drawn).iter(f"{SVG}desc")]
