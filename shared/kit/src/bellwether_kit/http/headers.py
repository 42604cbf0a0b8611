"""Headers that every answer carries: security, and CORS for the origins that are configured."""

from collections.abc import Sequence

Header = tuple[bytes, bytes]

SECURITY: tuple[Header, ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"strict-transport-security", b"max-age=31536000"),
)
API_ONLY: tuple[Header, ...] = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
"""Not for the documentation pages, which load scripts."""

_EXPOSED = b"ETag, Retry-After, RateLimit, RateLimit-Policy, X-Request-Id, Idempotency-Replayed, Traceparent"


class Cors:
    """Answers browsers of the configured origins; ``*`` stands for any. No cookies, so no credentials."""

    def __init__(self, origins: Sequence[str]) -> None:
        self._origins = frozenset(origin.encode() for origin in origins)
        self._any = b"*" in self._origins

    def headers(self, origin: bytes | None) -> list[Header]:
        """Give the headers of an ordinary answer to ``origin``."""
        if not self._origins:
            return []
        if origin is None or not (self._any or origin in self._origins):
            return [(b"vary", b"Origin")]
        return [
            (b"vary", b"Origin"),
            (b"access-control-allow-origin", origin),
            (b"access-control-expose-headers", _EXPOSED),
        ]

    def preflight(self, origin: bytes | None, asked: bytes | None) -> list[Header]:
        """Give the headers of the answer to a preflight that asks for the request headers ``asked``."""
        found = self.headers(origin)
        if len(found) > 1:
            found += [
                (b"access-control-allow-methods", b"GET, POST, PUT, PATCH, DELETE"),
                (b"access-control-allow-headers", asked or b"authorization, content-type"),
                (b"access-control-max-age", b"600"),
            ]
        return found
