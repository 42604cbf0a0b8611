"""Dead letters as they lie in the services' databases."""

import getpass
import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from bellwether.errors import BellwetherError
from bellwether.operations.databases import connected
from bellwether_kit.events import replays

OPEN_STATES = ("new", "failed", "would-work", "would-fail")
STATES = ("new", "waiting", "done", "failed", "would-work", "would-fail", "discarded")
"""``new``: never tried; ``waiting``: asked for and not tried yet; else the outcome of the last try."""
POLL_SECONDS = 0.2

_STATE = "CASE WHEN replay_due_at IS NOT NULL THEN 'waiting' ELSE coalesce(replay_outcome, 'new') END"
_TYPE = r"""coalesce(headers->>'ce_type', substring(encode(value, 'escape') FROM '"type" *: *"([^"\\]+)"'), '')"""
_LIST = f"""
    SELECT * FROM (
        SELECT id, topic, partition, "offset", {_TYPE} AS type, error_type, error, received_at, {_STATE} AS state,
            replay_tries AS tries
        FROM dead_letter
    ) AS letter
    WHERE (%(topic)s::text IS NULL OR topic = %(topic)s) AND (%(type)s::text IS NULL OR type = %(type)s)
        AND (%(states)s::text[] IS NULL OR state = ANY(%(states)s))
    ORDER BY received_at, topic, partition, "offset"
"""
_SHOW = f"SELECT *, {_TYPE} AS type, {_STATE} AS state FROM dead_letter WHERE id = %s"


class UnknownLetter(BellwetherError):
    """No database here has a dead letter of that id."""


@dataclass(frozen=True)
class Wanted:
    """Which dead letters: those to which everything given applies."""

    topic: str | None = None
    type: str | None = None
    states: Sequence[str] | None = None


@dataclass(frozen=True)
class Letter:
    """One dead letter in short."""

    service: str
    id: UUID
    topic: str
    partition: int
    offset: int
    type: str
    error_type: str
    error: str
    received_at: datetime
    state: str
    tries: int


def letters(urls: Mapping[str, str], wanted: Wanted) -> list[Letter]:
    """The dead letters of all databases, oldest first by service."""
    given = {"topic": wanted.topic, "type": wanted.type, "states": list(wanted.states) if wanted.states else None}
    found = []
    for service, url in urls.items():
        with connected(service, url) as connection:
            found += [Letter(service, **row._asdict()) for row in connection.execute(_LIST, given)]
    return found


def whole(urls: Mapping[str, str], id_: UUID) -> tuple[str, dict[str, Any]]:
    """The service of a dead letter and every column of it, with its ``type`` and ``state``; raises UnknownLetter."""
    for service, url in urls.items():
        with connected(service, url) as connection:
            row = connection.execute(_SHOW, [id_]).fetchone()
        if row is not None:
            return service, row._asdict()
    raise UnknownLetter(f"There is no dead letter {id_} in {', '.join(urls)}.")


def readable(raw: bytes | None) -> str:
    """A key or a value for people: JSON set out, other text as it is, else hexadecimal digits."""
    if raw is None:
        return "(none)"
    try:
        text = bytes(raw).decode()
    except UnicodeDecodeError:
        return f"hex {bytes(raw).hex(' ', 4)}"
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text if text.isprintable() else f"hex {bytes(raw).hex(' ', 4)}"


def user() -> str:
    """Who asks, when nobody is named: the user of this machine; in a container its number, where it has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


@dataclass(frozen=True)
class Letters:
    """Dead letters of several services, to ask about together."""

    urls: Mapping[str, str]
    chosen: Sequence[Letter]

    def _by_service(self) -> Iterator[tuple[str, str, list[UUID]]]:
        for service, url in self.urls.items():
            ids = [letter.id for letter in self.chosen if letter.service == service]
            if ids:
                yield service, url, ids

    def ask(self, who: replays.Ask, *, apart: timedelta = timedelta(), rehearsal: bool = False) -> set[UUID]:
        """Have them tried again, ``apart`` in each service; gives those that were asked for."""
        asked: set[UUID] = set()
        for service, url, ids in self._by_service():
            with connected(service, url) as connection:
                asked |= replays.ask(connection, ids, who, apart=apart, rehearsal=rehearsal)
        return asked

    def discard(self, who: replays.Ask) -> set[UUID]:
        """Settle that they will not be tried; gives those that were open."""
        settled: set[UUID] = set()
        for service, url, ids in self._by_service():
            with connected(service, url) as connection:
                settled |= replays.discard(connection, ids, who)
        return settled

    def withdraw(self) -> int:
        """Take back what was asked for and not tried yet; gives how many."""
        taken = 0
        for service, url, ids in self._by_service():
            with connected(service, url) as connection:
                taken += replays.withdraw(connection, ids)
        return taken

    def outcomes(self, seconds: float) -> list[tuple[str, dict[str, Any]]]:
        """Wait until all were tried, ``seconds`` at the most; gives service and columns of each as it is then."""
        deadline = time.monotonic() + seconds
        while True:
            now = [whole({letter.service: self.urls[letter.service]}, letter.id) for letter in self.chosen]
            if time.monotonic() > deadline or not any(row["state"] == "waiting" for _, row in now):
                return now
            time.sleep(POLL_SECONDS)
