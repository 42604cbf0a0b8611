"""`bellwether doctor`: look at everything that has ever been wrong, and say what to do."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bellwether.contracts.catalogue import topics
from bellwether.errors import NotUp
from bellwether.home import Home, repository_root
from bellwether.operations import engines, machine
from bellwether.operations.databases import clock, database_urls
from bellwether.operations.finding import Finding
from bellwether.operations.lag import worker_urls
from bellwether.stack.layout import Layout
from bellwether.wire import kafka_settings
from bellwether_kit.events.kafka import connection_options

COLOURS = {"ok": "green", "warn": "yellow", "bad": "red"}


def doctor(as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """Look at this machine, the engines and the services, and say of each what is wrong and what to do.

    Of the running stack, or of what BELLWETHER_KAFKA_BOOTSTRAP and BELLWETHER_<SERVICE>_DATABASE_URL name. Ends with 1
    when something is bad.
    """
    with Console(stderr=True).status("Looking"):
        found = list(findings())
    if as_json:
        typer.echo(json.dumps([asdict(each) for each in found], indent=2))
    else:
        _print(found)
    raise typer.Exit(1 if any(each.verdict == "bad" for each in found) else 0)


def findings() -> Iterator[Finding]:
    """Everything, one after the other; what can't be looked at is bad."""
    root, home = repository_root(), Home.found()
    layout = Layout.read(home) if home.record.exists() else None
    yield machine.python()
    lock = root / "requirements.lock"
    yield machine.packages(lock.read_text(encoding="utf-8") if lock.exists() else None)
    yield machine.disk(home.path)
    yield from machine.settings(layout)
    yield engines.replay_clock(clock())
    try:
        urls, options = database_urls(), connection_options(kafka_settings())
    except NotUp as error:
        yield Finding("stack", "bad", str(error), "`bellwether up`, or name the databases and the broker.")
        return
    workers = worker_urls()
    for service, url in urls.items():
        yield from engines.postgres(service, url)
        ours = layout is not None and url == layout.database_url(service, "worker")
        owner = layout.database_url(service, "owner") if layout and ours else url
        yield engines.migrations(service, owner, root / "services" / f"{service}-svc" / "migrations")
        yield from engines.working(service, url, workers.get(service))
    files = topics(root)
    yield from engines.kafka(options, files)
    yield from engines.reading(options, files)


def _print(found: list[Finding]) -> None:
    table = Table("", "what", "how it is", "what to do", box=None)
    for each in found:
        colour = COLOURS[each.verdict]
        table.add_row(f"[{colour}]{each.verdict}", each.what, escape(each.detail), escape(each.advice))
    Console().print(table)
