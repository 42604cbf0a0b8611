"""Places in the log of alert changes, and what of a part of it a stream has not told."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring_svc.stream.rules import Place, place_of, told_after, written

places = st.builds(Place, st.integers(0, 2**63 - 1), st.uuids(), st.integers(0, 2**31 - 1))


@given(places)
def test_an_event_id_names_its_place(place: Place) -> None:
    assert place_of(str(place)) == place


@given(st.lists(places, unique=True), places)
def test_what_is_told_of_a_part_of_the_log_is_what_lies_after_the_place(found: list[Place], place: Place) -> None:
    part = [(one, b"") for one in sorted(found)]
    told = [one for one, _ in told_after(part, place)]
    assert told == [one for one in sorted(found) if (one.xact, one.alert_id, one.version) > place_key(place)]


def place_key(place: Place) -> tuple[int, UUID, int]:
    return place.xact, place.alert_id, place.version


def test_places_are_in_the_order_of_the_log() -> None:
    low, high = UUID(int=1), UUID(int=2**127)
    ordered = [Place(1, high, 9), Place(2, low, 1), Place(2, low, 2), Place(2, high, 1), Place(10, low, 1)]
    assert sorted([*ordered[2:], *ordered[:2]]) == ordered


def test_an_event_is_one_block_whatever_its_text() -> None:
    event = written(Place(7, UUID(int=1), 2), "commented", {"text": "line\n\nid: 1.2.3"}).decode()
    assert event.count("\n") == 4
    assert event.startswith(f"id: 7.{UUID(int=1)}.2\nevent: commented\ndata: ")


@pytest.mark.parametrize("text", ["", "1.2", f"1.{UUID(int=1)}.x", f"{2**63}.{UUID(int=1)}.0", f"1.{UUID(int=1)}.-1"])
def test_what_names_no_place_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        place_of(text)
