"""Token buckets per tenant, in this process only: fairness between neighbours, not a quota that is sold."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

_MANY_TENANTS = 10_000


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled_at: float


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a tenant may still do. ``retry_after`` is in whole seconds, 0 when the request is allowed."""

    allowed: bool
    remaining: int
    retry_after: int
    full_after: int

    def headers(self, burst: int, rate: float) -> dict[str, str]:
        """Give the RateLimit fields of draft-ietf-httpapi-ratelimit-headers."""
        return {
            "RateLimit-Policy": f'"tenant";q={burst};w={ceil(burst / rate)}',
            "RateLimit": f'"tenant";r={self.remaining};t={self.full_after}',
        }


class Buckets:
    """One bucket per tenant: ``burst`` tokens at most, ``rate`` more per second."""

    def __init__(self, rate: float, burst: int, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.rate = rate
        self.burst = burst
        self._monotonic = monotonic
        self._buckets: dict[str, _Bucket] = {}

    def take(self, tenant: str) -> Allowance:
        """Take one token of ``tenant``, if there is one."""
        now = self._monotonic()
        bucket = self._buckets.get(tenant)
        if bucket is None:
            self._forget_full(now)
            bucket = self._buckets[tenant] = _Bucket(float(self.burst), now)
        bucket.tokens = min(self.burst, bucket.tokens + (now - bucket.filled_at) * self.rate)
        bucket.filled_at = now
        allowed = bucket.tokens >= 1
        if allowed:
            bucket.tokens -= 1
        return Allowance(
            allowed=allowed,
            remaining=int(bucket.tokens),
            retry_after=0 if allowed else max(1, ceil((1 - bucket.tokens) / self.rate)),
            full_after=ceil((self.burst - bucket.tokens) / self.rate),
        )

    def _forget_full(self, now: float) -> None:
        """Drop buckets that have filled up again; they say nothing a new one would not say."""
        if len(self._buckets) < _MANY_TENANTS:
            return
        full_since = now - self.burst / self.rate
        self._buckets = {tenant: kept for tenant, kept in self._buckets.items() if kept.filled_at > full_since}
