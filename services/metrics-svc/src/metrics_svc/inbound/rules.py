"""What an adapter is: it proves a delivery, answers it and reads it. Pure; the adapters are in ``adapters``."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from metrics_svc.intake.rules import Told

TOLERANCE = timedelta(minutes=5)
"""How old a signed timestamp may be, and how far ahead of our clock."""
RECORD_KEPT = timedelta(days=30)
"""How long a delivery is known at most, and a replay of it noticed; its body goes no later, however often retried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One request of a source system as it arrived.

    ``url`` is the public address it was sent to, as the sender signed it; header names are in lower case.
    """

    method: str
    url: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime


class Forgery(StrEnum):
    """Why a delivery is not believed; the values are stable codes."""

    MISSING = "missing-signature"
    WRONG = "wrong-signature"
    OLD = "signature-too-old"


@dataclass(frozen=True, slots=True)
class Proof:
    """A delivery is believed. ``nonce`` tells one delivery from another, so that a replay is noticed.

    ``repeatable`` says that the source signs a retry exactly like the first try: a repeat is then answered as the
    first was and does nothing; otherwise it is refused.
    """

    nonce: str
    repeatable: bool = False


@dataclass(frozen=True, slots=True)
class Greeting:
    """What a source system expects as the answer, byte for byte."""

    status: int = 202
    body: bytes = b""
    media_type: str | None = None


@dataclass(frozen=True, slots=True)
class Unread:
    """A part of a delivery that is no activity, and why: a stable ``code`` and words for a person."""

    code: str
    detail: str
    pointer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a connection is told beside its secrets: our own e-mail domains, lower case, to tell us from the client.

    ``source`` is the name under which activities are kept, so that two portals of one kind can be told apart.
    """

    source: str
    own_domains: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Reading:
    """What a delivery says: activities in our words, and what of it was none."""

    told: Sequence[Told] = ()
    unread: Sequence[Unread] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapter:
    """One source system. Functions only: each is called with bytes and values and gives values.

    ``prove`` gets the live secrets, the newest first, and raises nothing; None for a system that signs nothing, which
    then shows an ingest key of ours. ``hello`` answers a handshake before any proof (None: no handshake), as Microsoft
    Graph's validation token needs. ``read`` is called after the answer was given, and raises ValueError for a body
    that can't be read at all (msgspec's own errors count as such).
    """

    name: str
    title: str
    prove: Callable[[Delivery, Sequence[str]], Proof | Forgery] | None
    read: Callable[[bytes, Options], Reading]
    hello: Callable[[Delivery], Greeting | None] = field(default=lambda _: None)
    greeting: Greeting = Greeting()
