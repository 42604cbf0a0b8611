"""How activities count as contact."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics_svc.activities.rules import Activity
from metrics_svc.touch.rules import Contact, Last, contact, median_hours, ratio

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def activity(**told: Any) -> Activity:
    fields = {"tenant": "acme", "activity_id": UUID(int=1), "source": "crm", "occurred_at": NOW, "recorded_at": NOW}
    return Activity(**(fields | told))


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"type": "call", "direction": "outbound", "outcome": "no-answer"}, Contact(True, False, False)),
        ({"type": "call", "direction": "outbound", "outcome": "connected"}, Contact(True, False, True)),
        ({"type": "email", "direction": "inbound"}, Contact(False, True, True)),
        ({"type": "email", "direction": "outbound", "outcome": "bounced"}, None),
        ({"type": "meeting", "outcome": "held"}, Contact(False, False, True)),
        ({"type": "meeting", "outcome": "accepted"}, None),
        ({"type": "order"}, Contact(False, True, True)),
        ({"type": "order", "outcome": "cancelled"}, None),
        ({"type": "order", "amount": Decimal(-1)}, None),
        ({"type": "proposal", "direction": "outbound"}, Contact(True, False, False)),
        ({"type": "note"}, None),
        ({"type": "observation", "kind": "advice-sought"}, None),
    ],
)
def test_what_counts_as_contact_and_of_which_sort(told: dict[str, Any], expected: Contact | None) -> None:
    assert expected == contact(activity(**told))


contacts = st.tuples(st.integers(0, 100), st.builds(Contact, st.booleans(), st.booleans(), st.booleans()))


@given(came=st.lists(contacts, max_size=10), order=st.randoms())
def test_the_last_contacts_do_not_depend_on_the_order_of_arrival(
    came: list[tuple[int, Contact]], order: object
) -> None:
    shuffled = list(came)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    ends = []
    for arrivals in (came, shuffled):
        last = Last()
        for hours, how in arrivals:
            last = last.later(NOW + timedelta(hours=hours), how)
        ends.append(last)
    assert ends[0] == ends[1]


def test_figures_without_anything_to_count_are_missing_and_not_zero() -> None:
    assert (median_hours([]), ratio(0, 0)) == (None, None)
    assert (median_hours([3600, 7200, 10800]), ratio(1, 4)) == (2.0, 0.25)


SORTS = st.builds(Contact, st.booleans(), st.booleans(), st.booleans())


@given(st.lists(st.tuples(st.integers(0, 20), SORTS), max_size=8), st.data())
def test_a_contact_taken_back_leaves_what_the_others_say(told: list[tuple[int, Contact]], data: st.DataObject) -> None:
    met = [(NOW + timedelta(hours=hours), how) for hours, how in told]
    stood = Last()
    for at, how in met:
        stood = stood.later(at, how)
    gone = data.draw(st.sampled_from(met)) if met else (NOW, Contact(True, True, True))
    rest = [one for n, one in enumerate(met) if n != (met.index(gone) if met else None)]
    left = stood.without(*gone)
    for at, how in sorted(rest, key=lambda one: one[0], reverse=True):
        if left.lacks(stood):
            left = left.filled(at, how, stood)
    expected = Last()
    for at, how in rest:
        expected = expected.later(at, how)
    assert left == expected
