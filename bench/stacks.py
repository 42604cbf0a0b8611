"""A stack of a benchmark's own, in a folder that goes with it, and what its processes hold of memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bellwether.home import Home
from bellwether.stack import Stack


@contextmanager
def running(*services: str, **options: Any) -> Iterator[Stack]:
    """Both engines and those services, until the context ends; options are those of `Stack`."""
    with TemporaryDirectory(prefix="bellwether-bench-", ignore_cleanup_errors=True) as folder:
        stack = Stack(Home(Path(folder)), services=services, any_port=True, **options)
        stack.start()
        try:
            yield stack
        finally:
            stack.stop()


def unlimited(service: str) -> dict[str, str]:
    """Settings of an API that lets a single client ask as often as it can."""
    prefix = f"BELLWETHER_{service.upper()}_RATE"
    return {f"{prefix}_PER_SECOND": "1e6", f"{prefix}_BURST": "1000000"}


def memory(pid: int) -> float:
    """MiB of memory that a process holds."""
    status = Path(f"/proc/{pid}/status").read_text()
    return round(int(status.partition("VmRSS:")[2].split()[0]) / 1024, 1)
