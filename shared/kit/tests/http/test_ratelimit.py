"""The bucket's arithmetic, on a clock that the test moves."""

from bellwether_kit.http.ratelimit import Buckets


class Ticks:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_bucket_gives_its_burst_and_then_its_rate() -> None:
    ticks = Ticks()
    buckets = Buckets(rate=2.0, burst=3, monotonic=ticks)
    assert [buckets.take("a").allowed for _ in range(4)] == [True, True, True, False]
    ticks.now = 0.5
    assert [buckets.take("a").allowed for _ in range(2)] == [True, False]


def test_a_bucket_never_holds_more_than_its_burst() -> None:
    ticks = Ticks()
    buckets = Buckets(rate=2.0, burst=3, monotonic=ticks)
    buckets.take("a")
    ticks.now = 1_000.0
    assert [buckets.take("a").allowed for _ in range(4)] == [True, True, True, False]


def test_a_refused_tenant_is_told_when_to_come_again() -> None:
    buckets = Buckets(rate=0.25, burst=1, monotonic=Ticks())
    assert buckets.take("a").retry_after == 0
    assert buckets.take("a").retry_after == 4


def test_tenants_that_were_quiet_are_forgotten() -> None:
    ticks = Ticks()
    buckets = Buckets(rate=1.0, burst=1, monotonic=ticks)
    for number in range(10_000):
        buckets.take(f"t{number}")
    ticks.now = 10.0
    buckets.take("new")
    assert len(buckets._buckets) == 1
