"""Runs one engine for a test session and ends it with the session, even when the session is killed.

`python -m bellwether.engines.guard OWNER_PID STOP_SIGNAL USER COMMAND…` (USER may be empty).
SIGTERM stops the engine in order.
"""

import os
import signal
import subprocess
import sys
import time
from types import FrameType

from bellwether.engines.program import identity

PATIENCE = 10.0  # seconds for an orderly stop


def main(owner: int, stop_signal: str, user: str, command: list[str]) -> int:
    """Run the command until it ends, we are told to stop, or the owner is gone; the engine's exit code."""
    engine = subprocess.Popen(command, **identity(user))  # noqa: S603 - the command is our own parent's
    told = False

    def stop(_signal: int, _frame: FrameType | None) -> None:
        nonlocal told
        told = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in pytest reaches us too; the session then stops us
    while engine.poll() is None and not told and _alive(owner):
        time.sleep(0.1)
    if engine.poll() is None:
        engine.send_signal(signal.Signals[f"SIG{stop_signal}"])
        try:
            engine.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            engine.kill()
    code = engine.wait()
    return code if code >= 0 else 128 - code  # as a shell says it


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4:]))
