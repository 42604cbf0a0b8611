"""An account's own rhythm, what is expected of it, and silence."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from statistics import median
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics_svc.activities.rules import Activity
from metrics_svc.cadence.rules import Cadence, cadence, expected, met

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
BO, CY = UUID(int=1), UUID(int=2)


def test_the_own_rhythm_is_the_median_gap_and_silence_is_overdue_beyond_what_is_expected() -> None:
    days = [date(2026, 1, 1), date(2026, 1, 8), date(2026, 1, 22), date(2026, 2, 1)]
    last = NOW - timedelta(days=15)
    assert cadence(days, 14.0, last, NOW) == Cadence(10.0, 3, 14.0, 15.0, True)
    assert cadence(days, 15.0, last, NOW).overdue is False


def test_what_is_not_known_is_missing_and_not_zero() -> None:
    assert cadence([], None, None, NOW) == Cadence(None, 0, None, None, None)
    assert cadence([date(2026, 1, 1)], 7.0, None, NOW) == Cadence(None, 0, 7.0, None, None)
    assert cadence([], None, NOW, NOW) == Cadence(None, 0, None, 0.0, None)


@pytest.mark.parametrize(
    ("own", "tier", "days"), [(3.5, "A", 3.5), (None, "A", 7), (None, "B", 14), (None, "C", 30), (None, None, None)]
)
def test_an_accounts_own_cadence_comes_before_its_tiers(own: float | None, tier: str | None, days: float) -> None:
    assert expected(own, tier) == days


@given(offsets=st.lists(st.integers(0, 365), max_size=40), order=st.randoms())
def test_the_rhythm_is_the_same_in_any_order_and_with_any_repetition(offsets: list[int], order: object) -> None:
    days = [date(2025, 3, 2) + timedelta(days=offset) for offset in offsets]
    shuffled = days + days[:5]
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    found = cadence(shuffled, 7.0, None, NOW)
    gaps = [later - earlier for earlier, later in pairwise(sorted(set(offsets)))]
    assert (found.own_days, found.n) == (median(gaps) if gaps else None, len(gaps))


def test_each_person_has_the_contacts_they_were_in_and_took_part_in() -> None:
    def call(outcome: str, *people: UUID) -> Activity:
        told = {"type": "call", "direction": "outbound", "outcome": outcome, "contact_ids": people}
        return Activity(tenant="acme", activity_id=BO, source="crm", occurred_at=NOW, recorded_at=NOW, **told)

    assert met([call("connected", BO, CY), call("no-answer", BO), call("voicemail")]) == {BO: (2, 1), CY: (1, 1)}
