"""The processes' log files: their last lines, and new ones as they come. supervisord writes and turns them."""

import time
from collections.abc import Iterator
from pathlib import Path

from bellwether.errors import BellwetherError
from bellwether.home import Home

POLL = 0.2  # seconds


class NoSuchLog(BellwetherError):
    """No process of that name ever ran from this home."""


def last_lines(home: Home, process: str | None, count: int) -> Iterator[str]:
    """The last lines of one process, or of each in turn; lines of several carry the process's name."""
    for name, file in _files(home, process).items():
        lines = file.read_text(errors="replace").splitlines()
        for line in lines[len(lines) - count :] if count < len(lines) else lines:
            yield _named(name, line, process)


def follow(home: Home, process: str | None = None) -> Iterator[str]:
    """New lines for ever, from this call on; a file that was turned is read from its new beginning."""
    positions = {name: file.stat().st_size for name, file in _files(home, process).items()}
    return _following(home, process, positions)


def _following(home: Home, process: str | None, positions: dict[str, int]) -> Iterator[str]:
    while True:
        for name, file in _files(home, process).items():
            size = file.stat().st_size
            start = positions.get(name, 0)
            start = 0 if size < start else start
            with file.open("rb") as stream:
                stream.seek(start)
                whole, end, _begun = stream.read(size - start).rpartition(b"\n")
            positions[name] = start + len(whole) + len(end)
            if end:
                yield from (_named(name, line, process) for line in whole.decode(errors="replace").split("\n"))
        time.sleep(POLL)


def _files(home: Home, process: str | None) -> dict[str, Path]:
    found = {file.stem: file for file in sorted(home.logs.glob("*.log")) if file.stem != "supervisord"}
    if process is None:
        return found
    if process not in found:
        raise NoSuchLog(f"There is no log of {process!r}; there are {', '.join(found) or 'none'}.")
    return {process: found[process]}


def _named(name: str, line: str, asked: str | None) -> str:
    return line if asked else f"{name:<18} {line}"
