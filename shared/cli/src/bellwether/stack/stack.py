"""One local stack: start, stop, ask, and disturb it. What the command line, the demo and the journeys use."""

import os
import signal as signals
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property

from bellwether.engines import kafka, postgres
from bellwether.engines.jars import Progress
from bellwether.engines.ports import answers, require_free
from bellwether.engines.space import MIB, require_space
from bellwether.errors import AlreadyUp, BellwetherError, EngineFailed, NotUp
from bellwether.home import Home
from bellwether.stack.broker import prepare_broker
from bellwether.stack.databases import prepare_databases
from bellwether.stack.engines import Say, prepare_engines
from bellwether.stack.health import StackStatus, ask, status
from bellwether.stack.layout import SERVICES, Layout, brokers_among, planned, port_setting
from bellwether.stack.leftovers import end_leftovers
from bellwether.stack.processes import Process, Variables, of_services
from bellwether.stack.supervisor import State, Supervisor
from bellwether.tokens import EVERY_SCOPE, TokenIssuer
from bellwether_kit.clock import ReplayClock

NEEDED_SPACE = 512 * MIB
READY_SECONDS = 90.0

Programs = Callable[[Layout], list[Process]]
Databases = Callable[[Layout, Sequence[str]], object]


class NotOurKafka(BellwetherError):
    """Somebody else's Kafka is not ours to lock or to multiply."""


class Stack:
    """The stack of one home, running or not; several objects and processes may speak of the same one."""

    def __init__(
        self,
        home: Home | None = None,
        *,
        services: tuple[str, ...] = SERVICES,
        any_port: bool = False,
        clock: bool = False,
        secure: bool = False,
        brokers: int = 1,
        replicas: Mapping[str, int] | None = None,
        variables: Mapping[str, Variables] | None = None,
        programs: Programs = of_services,
        databases: Databases = prepare_databases,
    ) -> None:
        """`services=()` gives the engines only. `secure` locks Kafka: TLS, a login and access rules per service.
        With three `brokers` (`kafka`, `kafka-2`, `kafka-3`) each record is on all, and one may be away.

         `variables` are extra ones by process name, "*" for all.

        `replicas={"scoring-worker": 2}` gives a further process `scoring-worker-2`.
        """
        self.home = home or Home.found()
        self._services = services
        self._any_port = any_port
        self._clock = clock
        self._secure = secure
        self._brokers = brokers
        self._replicas = replicas or {}
        self._variables = variables or {}
        self._programs = programs
        self._databases = databases
        self._supervisor = Supervisor(self.home)

    @cached_property
    def layout(self) -> Layout:
        """Every address; NotUp when nothing runs from this home."""
        return Layout.read(self.home)

    def start(self, *, say: Say = lambda _text: None, progress: Progress | None = None) -> tuple[str, ...]:
        """Start everything and wait until it is ready; what fails leaves nothing running and no record.

        Returns what a person should know all the same: topics that are not as their files say.
        """
        with self.home.locked():
            if self.home.record.exists() and self._supervisor.answers():
                raise AlreadyUp(f"The stack of {self.home.path} is already up: see `bellwether status`.")
            end_leftovers(self.home)
            self.home.record.unlink(missing_ok=True)
            layout = self._planned()
            require_space(self.home.path, NEEDED_SPACE)
            require_free((name, port, port_setting(name)) for name, port in layout.ports.items())
            try:
                return self._start(layout, say, progress)
            except BaseException:
                self._tear_down()
                raise

    def _planned(self) -> Layout:
        layout = planned(
            self.home,
            self._services,
            any_port=self._any_port,
            clock=self._clock,
            secure=self._secure,
            brokers=self._brokers,
            replicas=self._replicas,
        )
        if (self._secure or self._brokers > 1) and not layout.brokers:
            raise NotOurKafka(
                "--secure and --brokers are about a Kafka of our own, and BELLWETHER_KAFKA_BOOTSTRAP names one that "
                "runs already: leave it out, or them."
            )
        return layout

    def stop(self) -> None:
        """Stop services, then engines, then the supervisor. NotUp when nothing runs and nothing is left over."""
        with self.home.locked():
            if not self.home.record.exists() and not end_leftovers(self.home):
                raise NotUp(f"No stack runs from {self.home.path}.")
            self._tear_down()

    def _start(self, layout: Layout, say: Say, progress: Progress | None) -> tuple[str, ...]:
        TokenIssuer(self.home).publish()
        if layout.clock:
            ReplayClock(self.home.clock)
        engines = prepare_engines(layout, say, progress)
        services = [self._with_variables(process) for process in self._programs(layout)]
        pid = self._supervisor.spawn([*engines, *services])
        self.layout = layout.with_supervisor(pid)
        self.layout.write()
        self._supervisor.start(*(engine.name for engine in engines))
        say("Waiting for PostgreSQL")
        self._until("postgres", lambda: postgres.answers(layout.postgres_url))
        if layout.services:
            say("Preparing the databases")
            self._databases(layout, layout.services)
        self._supervisor.start(*(process.name for process in services if process.kind == "api"))
        say("Waiting for Kafka")
        for broker in layout.brokers or ["kafka"]:
            self._until(broker, lambda: kafka.answers_at(layout.kafka_bootstrap))
        applied = prepare_broker(layout)
        self._supervisor.start(*(process.name for process in services if process.kind == "worker"))
        say("Waiting for the services")
        self.wait_ready()
        return applied.differing

    def _with_variables(self, process: Process) -> Process:
        return process.with_variables({**self._variables.get("*", {}), **self._variables.get(process.name, {})})

    def _tear_down(self) -> None:
        with suppress(NotUp):
            names = set(self._supervisor.states())
            engines = {*brokers_among(names), *(names & {"postgres"})}
            self._supervisor.stop(*sorted(names - engines))
            self._supervisor.stop(*sorted(engines))
            self._supervisor.shutdown(Layout.read(self.home).supervisor_pid)
        end_leftovers(self.home)
        self.home.record.unlink(missing_ok=True)
        self.__dict__.pop("layout", None)

    def url(self, process: str) -> str:
        """The base URL of a service's API (`metrics`) or of a worker's health port (`metrics-worker`)."""
        return self.layout.url(process)

    def token(self, tenant: str, scope: str = EVERY_SCOPE, *, subject: str = "local", ttl: float = 3600) -> str:
        """A bearer token that this stack's services accept; `ttl` in seconds."""
        return TokenIssuer(self.home).token(tenant, scope, subject=subject, ttl=ttl)

    def workers(self) -> list[str]:
        """The workers that run or are to run, and of each service the first in any case."""
        names = [name for name, (_, kind) in self.layout.processes.items() if kind == "worker"]
        return [name for name in names if not _is_further(name) or self._state(name).word != "STOPPED"]

    def status(self) -> StackStatus:
        """State and health of every process; NotUp when nothing runs."""
        return status(self.layout, self._supervisor.states())

    def pid(self, process: str) -> int:
        """The process's pid; EngineFailed when it does not run."""
        state = self._state(process)
        if not state.pid:
            raise EngineFailed(f"{process} does not run: it is {state.word}.")
        return state.pid

    def wait_ready(self, timeout: float = READY_SECONDS) -> None:
        """Until every process runs and says it is ready, but for further ones that were halted.

        EngineFailed names the first that will not.
        """
        deadline = time.monotonic() + timeout
        states = self._supervisor.states().values()
        waiting = {state.name for state in states if state.word != "STOPPED" or not _is_further(state.name)}
        while waiting:
            for name in sorted(waiting):
                if self._is_ready(name):
                    waiting.discard(name)
            if waiting and time.monotonic() > deadline:
                raise EngineFailed(
                    f"Not ready after {timeout:.0f} s: {', '.join(sorted(waiting))}; {self._last(min(waiting))}"
                )
            time.sleep(0.05)

    def kill(self, process: str, signal: int = signals.SIGKILL) -> int:
        """Send a signal to the process itself; the supervisor starts it again if it dies. Returns the pid."""
        pid = self.pid(process)
        os.kill(pid, signal)
        return pid

    def halt(self, process: str) -> None:
        """Stop a process or an engine (`kafka`, `postgres`) and keep it stopped."""
        self._supervisor.stop(process)

    def resume(self, process: str, timeout: float = READY_SECONDS) -> None:
        """Start a process that was halted and wait until it is ready."""
        self._supervisor.start(process)
        self._wait(lambda: self._is_ready(process), timeout, process)

    def restart(self, process: str, variables: Variables | None = None) -> None:
        """Halt and resume. `variables` are added to the environment of a service's process from now on."""
        self.halt(process)
        if variables is not None:
            self.equip(process, variables)
        self.resume(process)

    def equip(self, process: str, variables: Variables) -> None:
        """Add to the environment of a service's process, from its next start on."""
        known = {each.name: each for each in self._programs(self.layout)}
        self._supervisor.describe(self._with_variables(known[process]).with_variables(variables))

    def _state(self, process: str) -> State:
        states = self._supervisor.states()
        if process not in states:
            raise BellwetherError(f"This stack has no process {process!r}; it has {', '.join(states)}.")
        return states[process]

    def _is_ready(self, process: str) -> bool:
        state = self._state(process)
        if state.word in ("BACKOFF", "FATAL", "EXITED"):
            raise EngineFailed(f"{process} does not start: {self._last(process)}")
        if process == "postgres":
            return postgres.answers(self.layout.postgres_url)
        if process in self.layout.brokers:
            return answers(self.layout.ports[process])
        return state.pid > 0 and ask(f"{self.url(process)}/health/ready") == "ok"

    def _until(self, engine: str, answers: Callable[[], bool]) -> None:
        ready = (lambda: self._is_ready(engine)) if self.layout.runs(engine) else answers
        self._wait(ready, 60, engine)

    def _wait(self, done: Callable[[], bool], timeout: float, process: str) -> None:
        deadline = time.monotonic() + timeout
        while not done():
            if time.monotonic() > deadline:
                raise EngineFailed(f"{process} did not answer in {timeout:.0f} s: {self._last(process)}")
            time.sleep(0.05)

    def _last(self, process: str) -> str:
        log = self.home.logs / f"{process}.log"
        lines = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
        return f"{lines[-1] if lines else 'it said nothing'} ({log})"


def _is_further(process: str) -> bool:
    """Whether it is one beside the first of its kind, `metrics-api-2`: it may be away."""
    return process[-1].isdigit()
