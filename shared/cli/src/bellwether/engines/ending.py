"""Waiting until a process that we started, or a process of ours started, is gone."""

import os
import time
from contextlib import suppress

POLL = 0.05  # seconds


def is_gone(pid: int) -> bool:
    """Whether the process is gone; as its parent we also take its exit code, so that no zombie stays."""
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def wait_for_end(pid: int, seconds: float) -> bool:
    """Whether it was gone in time."""
    deadline = time.monotonic() + seconds
    while not is_gone(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL)
    return True
