"""`bellwether lag`: what is not done yet, by topic and by service."""

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from bellwether.contracts.catalogue import topics
from bellwether.home import Home, repository_root
from bellwether.operations.backlog import Backlog, TopicLag, backlogs, topic_lags
from bellwether.operations.databases import database_urls
from bellwether.stack.layout import Layout
from bellwether.wire import kafka_settings
from bellwether_kit.events.kafka import connection_options


def lag(as_json: Annotated[bool, typer.Option("--json", help="For programs, with every partition.")] = False) -> None:
    """Print what each group has to read, what each outbox has to send, and what is due or dead.

    Of the running stack, or of the broker and databases that BELLWETHER_KAFKA_BOOTSTRAP and
    BELLWETHER_<SERVICE>_DATABASE_URL name.
    """
    read = topic_lags(connection_options(kafka_settings()), topics(repository_root()))
    kept = backlogs(database_urls(), worker_urls())
    if as_json:
        told = {"topics": [asdict(each) for each in read], "services": [asdict(each) for each in kept]}
        typer.echo(json.dumps(told, indent=2))
        return
    console = Console(soft_wrap=True)
    console.print(_topics(read))
    console.print()
    console.print(_services(kept))


def worker_urls() -> dict[str, str]:
    """The health ports of the running stack's workers by service; none where no stack of this home runs."""
    home = Home.found()
    if not home.record.exists():
        return {}
    layout = Layout.read(home)
    return {service: layout.url(f"{service}-worker") for service in layout.services}


def _topics(read: list[TopicLag]) -> Table:
    table = Table("group", "topic", "committed", "end", "lag", box=None)
    for each in read:
        numbers = (f"{n:,}" for n in (each.committed, each.end, each.lag)) if each.lag >= 0 else ("", "", "no topic")
        table.add_row(each.group, each.topic, *numbers)
    return table


def _services(kept: list[Backlog]) -> Table:
    table = Table("service", "outbox", "oldest s", "timers due", "dead letters", "replays", "halted", box=None)
    for each in kept:
        due = "?" if each.timers_due is None else f"{each.timers_due:,}"
        table.add_row(
            each.service,
            f"{each.outbox_unsent:,}",
            f"{each.outbox_oldest:.0f}",
            due,
            f"{each.dead_letters_open:,}",
            f"{each.replays_waiting:,}",
            each.halted or "",
        )
    return table
