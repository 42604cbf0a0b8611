"""Working a file of activities in batches, and the report of it: one line per row and one of totals."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from tempfile import SpooledTemporaryFile
from typing import Any, Protocol

import msgspec

from bellwether_kit.errors import DomainError
from bellwether_kit.http import ProblemError, problem_of
from bellwether_kit.http.problems import FieldError, Problem, members
from metrics_svc.errors import ERRORS
from metrics_svc.inbound.rules import Unread
from metrics_svc.intake.rules import Told
from metrics_svc.intake.store import Result

BATCH = 500
_IN_MEMORY = 256 * 1024
_PIECE = 64 * 1024

Row = tuple[int, Told | Unread]
Take = Callable[[Sequence[Told]], Awaitable[Sequence[Result | DomainError]]]
"""Takes in one batch, in a transaction of its own."""


class Rows(Protocol):
    """What reads a kind of file: bytes in, rows with their lines out."""

    ignored: Sequence[str]

    def feed(self, data: bytes, *, final: bool = False) -> Iterable[Row]:
        """Give the rows that ``data`` completes."""


class Report:
    """What became of every row, written aside and sent at the end.

    A client that only begins to read once it has sent all would otherwise wait for us, and we for it.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._file = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 (closed by whoever sends it)

    def add(self, rows: Sequence[Row], results: Sequence[Result | DomainError]) -> None:
        """Note what became of ``rows``; ``results`` are those of the rows that could be read."""
        became = iter(results)
        for line, content in rows:
            result = next(became) if isinstance(content, Told) else content
            said = _line(result)
            self.counts[said["status"]] += 1
            self._write({"row": line} | said)

    def total(self, **said: Any) -> None:
        """Note the totals."""
        self._write({"rows": self.counts.total(), "counts": self.counts} | said)

    def close(self) -> None:
        """Forget the report; sending it does so too."""
        self._file.close()

    def _write(self, line: Mapping[str, Any]) -> None:
        self._file.write(msgspec.json.encode(line) + b"\n")

    async def sent(self) -> AsyncIterator[bytes]:
        """Yield the report piece by piece, and forget it."""
        with self._file as file:
            file.seek(0)
            while piece := file.read(_PIECE):
                yield piece


def _line(result: Result | DomainError | Unread) -> dict[str, Any]:
    if isinstance(result, Result):
        return {"status": str(result.status), "id": result.activity_id}
    if isinstance(result, Unread):
        field = FieldError(pointer=result.pointer, location="body", code=result.code, detail=result.detail)
        problem = ProblemError(422, result.code, result.detail, errors=[field] if result.pointer else [])
        return {"status": "rejected", "problem": _shown(Problem.model_validate(members(problem)))}
    return {"status": "rejected", "problem": _shown(problem_of(result, errors=ERRORS))}


def _shown(problem: Problem) -> Mapping[str, Any]:
    return problem.model_dump(exclude_none=True)


async def work(rows: Rows, chunks: AsyncIterator[bytes], take: Take, report: Report) -> None:
    """Read ``chunks``, take in their rows batch by batch and report; memory stays that of one batch.

    Raises Unreadable for a file that can't be read at all, before anything is taken in.
    """
    batch: list[Row] = []

    async def flush(size: int) -> None:
        while len(batch) >= size and batch:
            part, batch[:BATCH] = batch[:BATCH], []
            report.add(part, await take([content for _, content in part if isinstance(content, Told)]))

    async for chunk in chunks:
        batch += rows.feed(chunk)
        await flush(BATCH)
    batch += rows.feed(b"", final=True)
    await flush(1)
