"""up, down, status, logs, migrate: what a person types, around the Stack that does it."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Annotated, Literal, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table

from bellwether.engines import jars
from bellwether.home import Home
from bellwether.stack.databases import prepare_databases
from bellwether.stack.engines import Say
from bellwether.stack.health import StackStatus
from bellwether.stack.layout import SERVICES, Layout, planned
from bellwether.stack.logs import follow, last_lines
from bellwether.stack.stack import Stack

COLOURS = {"ok": "green", "failing": "yellow", "unreachable": "red"}


def up(
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Return when all is ready.")] = False,
    engines_only: Annotated[bool, typer.Option("--engines-only", help="PostgreSQL, Kafka and the topics.")] = False,
    any_port: Annotated[bool, typer.Option("--free-ports", help="Take free ports instead of the usual.")] = False,
    clock: Annotated[bool, typer.Option("--clock", help="Let `bellwether clock` move the time.")] = False,
    secure: Annotated[bool, typer.Option("--secure", help="Lock Kafka: TLS, a login and rules per service.")] = False,
    brokers: Annotated[Literal["1", "3"], typer.Option(help="Of Kafka; with three, one may be away.")] = "1",
) -> None:
    """Start engines, databases, topics, five APIs and five workers.

    Without --detach their logs are followed, and Ctrl-C stops everything.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    services = () if engines_only else SERVICES
    stack = Stack(services=services, any_port=any_port, clock=clock, secure=secure, brokers=int(brokers))
    try:
        with _shown() as (say, progress):
            remarks = stack.start(say=say, progress=progress)
        for remark in remarks:
            typer.echo(f"bellwether: topic {remark}", err=True)
        _print(stack.status())
        if detach:
            return
        signal.signal(signal.SIGHUP, _interrupt)
        for line in follow(stack.home):
            typer.echo(line)
    except KeyboardInterrupt:
        if stack.home.record.exists():
            Console(stderr=True).print("Stopping")
            stack.stop()
        raise typer.Exit(0 if not detach else 130) from None


def down() -> None:
    """Stop what `up` started; data stays."""
    with Console(stderr=True).status("Stopping"):
        Stack().stop()


def status(as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """Every process with URL, pid and health; every address. Ends with 1 when something is not well."""
    found = Stack().status()
    if as_json:
        typer.echo(json.dumps(found.as_json(), indent=2))
    else:
        _print(found)
    raise typer.Exit(0 if found.is_healthy else 1)


def logs(
    process: Annotated[str | None, typer.Argument(help="For instance scoring-worker; all when omitted.")] = None,
    following: Annotated[bool, typer.Option("--follow", "-f", help="Go on as they come.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many of each to begin with.")] = 50,
) -> None:
    """What the processes said."""
    home = Home.found()
    for line in last_lines(home, process, lines):
        typer.echo(line)
    if following:
        try:
            for line in follow(home, process):
                typer.echo(line)
        except KeyboardInterrupt:
            return


def migrate() -> None:
    """Make the services' databases and roles, and bring them to the newest form.

    On the server that BELLWETHER_POSTGRES_URL names, or else the running stack's.
    """
    home = Home.found()
    layout = planned(home) if os.environ.get("BELLWETHER_POSTGRES_URL") else Layout.read(home)
    done = prepare_databases(layout, SERVICES)
    typer.echo(f"migrated: {', '.join(done)}" if done else "nothing to do")


@contextmanager
def _shown() -> Iterator[tuple[Say, jars.Progress]]:
    """Progress on standard error: what is being done, and a bar while jars are fetched."""
    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task("Starting", total=None)

        def say(text: str) -> None:
            bar.update(task, description=text, total=None)

        def fetched(done: int, total: int) -> None:
            bar.update(task, description="Fetching Kafka's jars", completed=done, total=total)

        yield say, fetched


def _print(found: StackStatus) -> None:
    table = Table("process", "URL", "pid", "state", "health", box=None, header_style="bold")
    for process in found.processes:
        health = f"[{COLOURS[process.health]}]{process.health}"
        table.add_row(process.name, process.url or "", str(process.pid or ""), process.state.lower(), health)
    console = Console()
    console.print(table)
    locked = " (secure: TLS, a login per service, ACLs)" if found.kafka_protocol == "SASL_SSL" else ""
    console.print(
        f"\nKafka       {found.kafka_bootstrap}{locked}\nPostgreSQL  {found.postgres_url}\nHome        {found.home}"
    )


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
