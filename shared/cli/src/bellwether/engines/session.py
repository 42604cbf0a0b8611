"""Engines for one test session: started when first asked for, shared by its workers, gone at its end.

BELLWETHER_POSTGRES_URL and BELLWETHER_KAFKA_BOOTSTRAP name servers already running; then nothing is started.
"""

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bellwether.engines import kafka, postgres
from bellwether.engines.ending import wait_for_end
from bellwether.engines.ports import LOOPBACK, free_ports
from bellwether.engines.program import Program
from bellwether.errors import EngineFailed

FOLDER = "BELLWETHER_TEST_ENGINES"  # handed from the session to its workers


@dataclass(frozen=True)
class Engines:
    """Where both engines of a test session answer."""

    postgres_url: str
    kafka_bootstrap: str


@dataclass(frozen=True)
class EngineSession:
    """The folder of a session's engines and the process whose life they share."""

    folder: Path
    owner: int

    @classmethod
    def opened(cls) -> "EngineSession":
        """The session this process belongs to, made (and put into the environment) by its first process."""
        known = os.environ.get(FOLDER)
        if known:
            folder, _, owner = known.rpartition(":")
            return cls(Path(folder), int(owner))
        session = cls(Path(tempfile.mkdtemp(prefix="bellwether-test-")), os.getpid())
        os.environ[FOLDER] = f"{session.folder}:{session.owner}"
        return session

    def postgres_url(self) -> str:
        """The superuser's URL of a PostgreSQL that may lose its data at any crash (fsync is off)."""
        named = os.environ.get("BELLWETHER_POSTGRES_URL")
        if named:
            return named

        def program() -> tuple[Program, str]:
            (port,) = free_ports(1)
            prepared = postgres.prepare(self.folder / "postgres", port, durable=False)
            return prepared, postgres.admin_url(port)

        return self._started("postgres", program)

    def kafka_bootstrap(self) -> str:
        """host:port of a Kafka broker with no topics and no automatic creation of them."""
        named = os.environ.get("BELLWETHER_KAFKA_BOOTSTRAP")
        if named:
            return named

        def program() -> tuple[Program, str]:
            port, controller = free_ports(2)
            [prepared] = kafka.prepare([kafka.Node("kafka", self.folder / "kafka", port, controller)])
            return prepared, f"{LOOPBACK}:{port}"

        return self._started("kafka", program)

    def close(self) -> None:
        """Stop what was started, by pid, and delete its data; only the owner does it."""
        if os.getpid() != self.owner:
            return
        pids = [json.loads(record.read_text())["pid"] for record in self.folder.glob("*.json")]
        for pid in pids:
            os.kill(pid, signal.SIGTERM)
        for pid in pids:
            if not wait_for_end(pid, 15):
                os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)
        os.environ.pop(FOLDER, None)

    def _started(self, name: str, prepare: Callable[[], tuple[Program, str]]) -> str:
        """The address of the engine; the first to hold the lock starts it, the others read its record."""
        record = self.folder / f"{name}.json"
        with _locked(self.folder / f"{name}.lock"):
            if not record.exists():
                program, address = prepare()
                pid = self._start(program)
                record.write_text(json.dumps({"pid": pid, "address": address}))
            address = json.loads(record.read_text())["address"]
        return str(address)

    def _start(self, program: Program) -> int:
        log = self.folder / f"{program.name}.log"
        guard = [sys.executable, "-m", "bellwether.engines.guard"]
        command = [*guard, str(self.owner), program.stop_signal, program.user or "", *program.command]
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 - it outlives this call: the session stops it
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=program.folder,
                env=os.environ | program.environment,
                start_new_session=True,
            )
        deadline = time.monotonic() + 60
        while not program.answers():
            if process.poll() is not None or time.monotonic() > deadline:
                process.terminate()
                process.wait()
                raise EngineFailed(f"{program.name} did not start: {log.read_text()[-2000:]}")
            time.sleep(0.05)
        process.returncode = 0  # it is the session's now: no ResourceWarning when this object goes
        return process.pid


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
