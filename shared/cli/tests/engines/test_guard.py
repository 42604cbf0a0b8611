"""An engine of a test session does not outlive the session."""

import signal
import subprocess
import sys

GUARD = [sys.executable, "-m", "bellwether.engines.guard"]


def test_an_engine_ends_when_its_owner_is_gone() -> None:
    owner = subprocess.Popen(["/bin/sh", "-c", "read line"], stdin=subprocess.PIPE)
    guard = subprocess.Popen([*GUARD, str(owner.pid), "TERM", "", "/bin/sleep", "600"])

    owner.kill()
    owner.communicate()

    assert guard.wait(10) == 128 + signal.SIGTERM


def test_an_engine_is_stopped_with_its_own_signal() -> None:
    engine = """
import signal, sys
signal.signal(signal.SIGINT, lambda *_: sys.exit(7))
print("up", flush=True)
signal.pause()
"""
    guard = subprocess.Popen([*GUARD, "1", "INT", "", sys.executable, "-c", engine], stdout=subprocess.PIPE)
    assert guard.stdout is not None
    assert guard.stdout.readline() == b"up\n"

    guard.send_signal(signal.SIGTERM)
    guard.communicate(timeout=10)

    assert guard.returncode == 7
