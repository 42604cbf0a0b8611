"""supervisord of one stack: its configuration, its start, and what we ask of it over a unix socket."""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
import xmlrpc.client
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bellwether.engines.ending import wait_for_end
from bellwether.errors import EngineFailed, MissingExtra, NotUp
from bellwether.home import Home
from bellwether.stack.processes import Process, inherited

LONGEST_SOCKET = 90  # bytes; the system's limit is 104 to 108, and supervisord appends a suffix while it binds
STOP_SECONDS = 20
ALREADY_STARTED = 60  # supervisord's fault code
GONE = ("STOPPED", "EXITED", "FATAL", "BACKOFF")

HEAD = """\
[supervisord]
logfile={logs}/supervisord.log
logfile_maxbytes=5MB
logfile_backups=1
pidfile={run}/supervisord.pid
childlogdir={logs}
nodaemon=true
silent=true
[unix_http_server]
file={socket}
chmod=0700
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
"""
PROGRAM = """\
[program:{name}]
command="{python}" -I -S "{launch}" "{run}/{name}.json"
autostart=false
autorestart=true
startsecs=1
startretries=20
stopsignal={signal}
stopwaitsecs={stop}
killasgroup=true
redirect_stderr=true
stdout_logfile={logs}/{name}.log
stdout_logfile_maxbytes=20MB
stdout_logfile_backups=1
"""


@dataclass(frozen=True)
class State:
    """What supervisord says of a process: RUNNING, STARTING, BACKOFF, STOPPED, EXITED, FATAL…; pid 0 is none."""

    name: str
    word: str
    pid: int
    since: float
    """Seconds since 1970 of its last start; 0 when it never was."""


class Supervisor:
    """The supervisor of a home; its methods raise NotUp when it does not answer."""

    def __init__(self, home: Home) -> None:
        self._home = home
        socket = home.path / "supervisor.sock"
        if len(os.fsencode(socket)) > LONGEST_SOCKET:
            name = hashlib.sha256(os.fsencode(home.path)).hexdigest()[:16]
            socket = Path(tempfile.gettempdir()) / f"bellwether-{os.getuid()}-{name}.sock"
        self._socket = socket

    def spawn(self, processes: Iterable[Process]) -> int:
        """Start supervisord with these processes, none of them started yet; its pid."""
        if find_spec("supervisor") is None:
            raise MissingExtra("The local stack needs supervisor: install bellwether[local].")
        for folder in (self._home.logs, self._home.run):
            folder.mkdir(parents=True, exist_ok=True)
        places = {"run": self._home.run, "logs": self._home.logs}
        text = HEAD.format(socket=self._socket, **places)
        launch = Path(__file__).with_name("launch.py")
        for process in processes:
            self.describe(process)
            variables = {"name": process.name, "signal": process.stop_signal, "stop": STOP_SECONDS}
            text += PROGRAM.format(python=sys.executable, launch=launch, **variables, **places)
        config = self._home.run / "supervisord.conf"
        config.write_text(text.replace("%", "%%"))
        self._socket.unlink(missing_ok=True)
        return self._run(config)

    def _run(self, config: Path) -> int:
        output = self._home.logs / "supervisord.out"
        with output.open("wb") as stream:
            daemon = subprocess.Popen(  # noqa: S603 - it outlives this call: down stops it
                [sys.executable, "-W", "ignore", "-m", "supervisor.supervisord", "-c", str(config)],
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                cwd=self._home.path,
                env=inherited(os.environ, self._home.path),
                start_new_session=True,
            )
        for _ in range(200):
            if self.answers():
                daemon.returncode = 0  # it is the home's now, not this object's
                return daemon.pid
            if daemon.poll() is not None:
                break
            time.sleep(0.05)
        daemon.kill()
        daemon.wait()
        said = output.read_text().strip().splitlines() or ["no reason given"]
        raise EngineFailed(f"supervisord did not start: {said[-1]}")

    def describe(self, process: Process) -> None:
        """Write how a process is launched; holds from its next start."""
        told = {"command": process.command, "environment": dict(process.environment), "user": process.user}
        told["folder"] = str(process.folder)
        file = self._home.run / f"{process.name}.json"
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
            json.dump(told, stream, indent=1)

    def answers(self) -> bool:
        """Whether a supervisor listens at the home's socket."""
        try:
            self._ask("getState")
        except NotUp:
            return False
        return True

    def states(self) -> dict[str, State]:
        """Every process by name."""
        found = {}
        for info in self._ask("getAllProcessInfo"):
            found[info["name"]] = State(info["name"], info["statename"], info["pid"], float(info["start"]))
        return found

    def start(self, *names: str) -> None:
        """Have processes started, without waiting for them."""
        for name in names:
            try:
                self._ask("startProcess", name, False)
            except xmlrpc.client.Fault as fault:
                if fault.faultCode != ALREADY_STARTED:
                    raise EngineFailed(f"{name} cannot be started: {fault.faultString}.") from fault

    def stop(self, *names: str) -> None:
        """Stop processes side by side, and wait until they are gone (each is killed after 20 s).

        One that is just starting is let finish (1 s): a signal between fork and exec would be lost.
        """
        while any(self.states()[name].word == "STARTING" for name in names):
            time.sleep(0.05)
        for name in names:
            with suppress(xmlrpc.client.Fault):  # it was not running
                self._ask("stopProcess", name, False)
        deadline = time.monotonic() + STOP_SECONDS + 10
        while any(self.states()[name].word not in GONE for name in names):
            if time.monotonic() > deadline:
                raise EngineFailed(f"{', '.join(names)} did not stop.")
            time.sleep(0.05)

    def shutdown(self, pid: int) -> None:
        """End the supervisor itself, whose pid this is, and wait until it is gone."""
        self._ask("shutdown")
        if not wait_for_end(pid, 10):
            raise EngineFailed(f"supervisord (pid {pid}) did not stop.")

    def _ask(self, method: str, *arguments: object) -> Any:
        from supervisor.xmlrpc import SupervisorTransport  # noqa: PLC0415 - an extra

        transport = SupervisorTransport(None, None, f"unix://{self._socket}")
        try:
            proxy = xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport)
            return getattr(proxy.supervisor, method)(*arguments)
        except (OSError, xmlrpc.client.ProtocolError) as error:
            raise NotUp(f"No supervisor answers in {self._home.path}.") from error
        finally:
            transport.close()
