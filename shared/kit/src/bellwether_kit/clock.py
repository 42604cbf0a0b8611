"""What time it is, as an input: the true clock, one that a file moves, and one that a test holds."""

import mmap
import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

_OFFSET = struct.Struct("<q")


class Clock(Protocol):
    """Anything that tells the time."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The machine's time in UTC."""
        return datetime.now(UTC)


class ReplayClock:
    """The machine's clock plus an offset that all processes of a local stack read from one file.

    The file holds the offset in microseconds (8 bytes, little-endian, signed) and is mapped into memory, so that
    a reader sees a move at once and reading costs no system call. Time goes on between two moves.
    """

    def __init__(self, path: Path) -> None:
        if not path.exists() or path.stat().st_size != _OFFSET.size:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_OFFSET.pack(0))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), _OFFSET.size)

    def now(self) -> datetime:
        """The replayed instant in UTC."""
        return datetime.now(UTC) + timedelta(microseconds=_OFFSET.unpack_from(self._map)[0])

    def set(self, instant: datetime) -> None:
        """Make it ``instant`` now, for every process that reads the file."""
        self._write(instant - datetime.now(UTC))

    def advance(self, span: timedelta) -> None:
        """Move the time by ``span``."""
        self._write(timedelta(microseconds=_OFFSET.unpack_from(self._map)[0]) + span)

    def reset(self) -> None:
        """Back to the machine's time."""
        self._write(timedelta())

    def _write(self, offset: timedelta) -> None:
        _OFFSET.pack_into(self._map, 0, offset // timedelta(microseconds=1))


class FixedClock:
    """A clock that stands still until it is moved; for tests."""

    def __init__(self, instant: datetime) -> None:
        self._instant = instant

    def now(self) -> datetime:
        """The instant it was last set to."""
        return self._instant

    def set(self, instant: datetime) -> None:
        """Make it ``instant`` now."""
        self._instant = instant

    def advance(self, span: timedelta) -> None:
        """Move the time by ``span``."""
        self._instant += span


def clock_from(clock_file: Path | None) -> Clock:
    """The clock of a process: the replay clock where a file is configured, else the machine's."""
    return ReplayClock(clock_file) if clock_file else SystemClock()
