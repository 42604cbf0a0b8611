"""Which report about an account's health stands."""

from datetime import UTC, datetime
from random import Random
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from profile_svc.health.rules import Health, latest

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def health(tenant: str, account: int, sequence: int) -> Health:
    return Health(tenant, UUID(int=account), float(sequence), "watch", sequence, NOW)


reports = st.lists(st.builds(health, st.sampled_from(["acme", "globex"]), st.integers(1, 3), st.integers(1, 9)))


@given(reports, st.randoms())
def test_the_order_of_arrival_and_repeats_do_not_matter(given_reports: list[Health], dice: Random) -> None:
    shuffled = given_reports * 2
    dice.shuffle(shuffled)
    assert set(latest(given_reports)) == set(latest(shuffled))


@given(reports)
def test_each_account_of_each_tenant_keeps_its_highest_sequence(given_reports: list[Health]) -> None:
    for kept in latest(given_reports):
        same = [r for r in given_reports if (r.tenant, r.account_id) == (kept.tenant, kept.account_id)]
        assert max(r.sequence for r in same) == kept.sequence
