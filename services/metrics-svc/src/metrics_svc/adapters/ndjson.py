"""NDJSON files: one activity in our own words per line. Rows are numbered by line, from 1."""

from collections.abc import Iterator, Sequence

import msgspec

from metrics_svc.adapters import plain
from metrics_svc.adapters.text import BROKEN, LONGEST_LINE, Lines
from metrics_svc.inbound.rules import Options, Unread
from metrics_svc.intake.rules import Told


class Items:
    """One file on its way in; nothing of it is ignored."""

    ignored: Sequence[str] = ()

    def __init__(self, options: Options) -> None:
        self._options = options
        self._lines = Lines()
        self._line = 0

    def feed(self, data: bytes, *, final: bool = False) -> Iterator[tuple[int, Told | Unread]]:
        """Yield line and content of the rows that ``data`` completes; blank lines are none."""
        for line in self._lines.feed(data, final=final):
            self._line += 1
            if line.strip():
                yield self._line, self._read(line)

    def _read(self, line: str) -> Told | Unread:
        if BROKEN.search(line):
            return Unread("invalid-encoding", "The row is not UTF-8.")
        if len(line) > LONGEST_LINE:
            return Unread("row-too-long", f"A row has {LONGEST_LINE} characters at most.")
        try:
            item = msgspec.json.decode(line)
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            return Unread("malformed-json", f"The row is not JSON: {error}."[:300])
        if not isinstance(item, dict):
            return Unread("validation-failed", "A row is an object.")
        return plain.told(item, self._options)
