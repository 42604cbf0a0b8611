"""What the client of a fault run sent and what it was answered, on disk before anything is sent."""

import json
import os
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

OK, REFUSED, UNKNOWN = "ok", "refused", "unknown"
Name = tuple[str, str]
"""Tenant and external id."""


class Journal:
    """A file of lines: each post before it is sent (fsynced), and its outcome afterwards."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[str] = path.open("w")

    def sending(self, number: int, tenant: str, items: Iterable[tuple[str, int]]) -> None:
        """Write down what is about to be sent: external ids and revisions."""
        self._write({"post": number, "tenant": tenant, "items": list(items)})
        os.fsync(self._file.fileno())

    def answered(self, number: int, outcome: str, detail: Any) -> None:
        """Write down what came of it."""
        self._write({"post": number, "outcome": outcome, "detail": detail})

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self, line: dict[str, Any]) -> None:
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()


@dataclass
class Sent:
    """What is known of one thing: the highest revision that was taken, and the highest that may have been.

    `maybe` are those of which nobody knows. Of an activity the highest revision counts, whenever it comes; of what is
    given none, the last one that comes.
    """

    taken: int = 0
    tried: int = 0
    maybe: set[int] = field(default_factory=set)

    def hear(self, number: int, outcome: str) -> None:
        """Take in how a post of one revision ended."""
        if outcome != REFUSED:
            self.tried = max(self.tried, number)
        if outcome == OK:
            self.taken = max(self.taken, number)
        if outcome == UNKNOWN:
            self.maybe.add(number)

    def may_be_last(self, number: int) -> bool:
        """Whether what came last can be this one: the last that was taken, or one that arrived nobody knows when."""
        return number == self.taken or number in self.maybe


@dataclass
class Account:
    """All that a journal tells, by activity, and how the posts ended."""

    sent: dict[Name, Sent] = field(default_factory=lambda: defaultdict(Sent))
    outcomes: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    odd: list[str] = field(default_factory=list)


def read(path: Path) -> Account:
    """The account of a journal; a post without an outcome is unknown."""
    posts: dict[int, tuple[str, list[tuple[str, int]]]] = {}
    ends: dict[int, tuple[str, Any]] = {}
    for line in path.read_text().splitlines():
        said = json.loads(line)
        if "outcome" in said:
            ends[said["post"]] = said["outcome"], said["detail"]
        else:
            posts[said["post"]] = said["tenant"], said["items"]
    account = Account()
    for number, (tenant, items) in posts.items():
        outcome, detail = ends.get(number, (UNKNOWN, None))
        account.outcomes[outcome] += 1
        if outcome == REFUSED and detail not in (429, 503):
            account.odd.append(f"post {number}: {detail}")
        for external_id, revision in items:
            account.sent[tenant, external_id].hear(revision, outcome)
    return account
