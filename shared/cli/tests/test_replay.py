"""How a person writes an instant or a span for the replay clock."""

from datetime import UTC, datetime, timedelta

import pytest

from bellwether.replay import WrongTime, parse_instant, parse_span


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("45s", timedelta(seconds=45)),
        ("90m", timedelta(minutes=90)),
        ("1.5h", timedelta(minutes=90)),
        ("1d12h", timedelta(hours=36)),
        ("2w", timedelta(days=14)),
    ],
)
def test_a_span_is_a_sum_of_parts(text: str, span: timedelta) -> None:
    assert parse_span(text) == span


@pytest.mark.parametrize("text", ["", "3", "d3", "3y", "-1d", "1d x"])
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(WrongTime, match="is no span"):
        parse_span(text)


def test_an_instant_is_taken_to_utc() -> None:
    assert parse_instant("2026-03-02T10:00+01:00") == datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.mark.parametrize("text", ["2026-03-02", "2026-03-02T09:00", "soon"])
def test_an_instant_needs_its_zone(text: str) -> None:
    with pytest.raises(WrongTime):
        parse_instant(text)
