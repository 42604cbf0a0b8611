"""Room on the disk, asked before anything is written."""

import errno
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bellwether.errors import DiskFull

MIB = 1024 * 1024


def free_bytes(path: Path) -> int:
    """Bytes that may be written below `path`, which need not exist yet."""
    while not path.exists():
        path = path.parent
    return shutil.disk_usage(path).free


def require_space(path: Path, needed: int, free: Callable[[Path], int] = free_bytes) -> None:
    """Raise DiskFull when fewer than `needed` bytes are free for `path`."""
    left = free(path)
    if left < needed:
        raise DiskFull(
            f"The disk is full: {path} needs {needed // MIB} MiB and {left // MIB} MiB are free; "
            "make room, or set BELLWETHER_HOME (data) or XDG_CACHE_HOME (downloads) to another disk."
        )


@contextmanager
def writing_to(path: Path) -> Iterator[None]:
    """Say "disk full" as DiskFull when it happens after all, in the middle of writing."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(f"The disk filled up while writing to {path}; make room and start again.") from error
        raise
