"""The number that orders the revisions of one record."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from metrics_svc.intake.rules import revision_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def test_the_sources_own_number_goes_before_its_update_time() -> None:
    assert revision_of(7, EPOCH + timedelta(days=9)) == 7
    assert revision_of(None, None) == 1


def test_a_time_before_1970_is_no_negative_revision() -> None:
    assert revision_of(None, EPOCH - timedelta(days=1)) == 0


@given(first=st.integers(0, 10**12), second=st.integers(0, 10**12))
def test_a_later_update_is_a_higher_revision(first: int, second: int) -> None:
    revisions = [revision_of(None, EPOCH + timedelta(microseconds=at)) for at in (first, second)]
    assert (revisions[0] < revisions[1]) == (first < second)
