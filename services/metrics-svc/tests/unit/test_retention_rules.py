"""From when on limits want texts, names and deliveries gone."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from metrics_svc.retention.rules import DELIVERY_DAYS, LONGEST_DAYS, Limits

NOW = datetime(2126, 3, 2, tzinfo=UTC)
days = st.none() | st.integers(1, LONGEST_DAYS)


def test_without_limits_all_is_kept_for_ever() -> None:
    assert Limits().texts_before(NOW) is Limits().names_before(NOW) is Limits().deliveries_before(NOW) is None


def test_texts_go_by_the_shorter_limit_because_a_text_may_name_somebody() -> None:
    assert Limits(90, 30).texts_before(NOW) == Limits(30, 90).texts_before(NOW) == NOW - timedelta(days=30)


def test_deliveries_go_by_their_own_limit_unless_they_go_by_themselves_first() -> None:
    assert Limits(1, 1, DELIVERY_DAYS).deliveries_before(NOW) is None
    assert Limits(None, None, DELIVERY_DAYS - 1).deliveries_before(NOW) == NOW - timedelta(days=29)


@given(days, days)
def test_a_text_is_never_kept_longer_than_a_name(texts: int | None, names: int | None) -> None:
    limits = Limits(texts, names)
    before = limits.names_before(NOW)
    assert before is None or (limits.texts_before(NOW) or before) >= before
