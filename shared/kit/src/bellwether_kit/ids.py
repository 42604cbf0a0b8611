"""Identifiers: time-ordered UUIDs for new things, deterministic ones for things named elsewhere."""

from functools import lru_cache
from uuid import UUID, uuid5

import uuid_utils.compat

_OPAQUE = UUID("6f0c7f5e-7a0b-5d52-9f0e-2b9f6d0c1a77")


def uuid7() -> UUID:
    """A new UUIDv7 (RFC 9562): unique, and sorting by the millisecond it was made in."""
    made: UUID = uuid_utils.compat.uuid7()
    return made


@lru_cache(maxsize=16_384)
def opaque_id(tenant: str, *parts: str) -> UUID:
    """The UUIDv5 of a thing known by other names: the same parts give the same id in every process.

    The parts are joined unambiguously (their lengths are part of the name), so ``("ab", "c")`` and
    ``("a", "bc")`` differ.
    """
    name = "\x1f".join(f"{len(part)}:{part}" for part in (tenant, *parts))
    return uuid5(_OPAQUE, name)
