"""The commands that speak to the broker: topics, tail and Kafka's own tools."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Any

import typer
from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from rich.console import Console
from rich.markup import escape

from bellwether.acls import apply_acls, wanted_acls
from bellwether.contracts.catalogue import topics as catalogue
from bellwether.engines import kafka
from bellwether.errors import BellwetherError, EngineFailed
from bellwether.home import Home, repository_root, write_private
from bellwether.stack.layout import Layout
from bellwether.topics import Applied, TopicsDiffer, apply_topics
from bellwether_kit.events.kafka import connection_options
from bellwether_kit.settings import KafkaSettings

topics = typer.Typer(no_args_is_help=True, add_completion=False)


class UnknownTopic(BellwetherError):
    """The broker has no such topic."""


@topics.callback()
def _topics() -> None:
    """Create the topics that shared/contracts/topics describes."""


@topics.command("apply")
def apply_command(
    replication: Annotated[int, typer.Option(min=1, help="Replicas of each new topic.")] = 1,
) -> None:
    """Create what is missing; report, and end with 1, where the broker differs from the files."""
    applied = asyncio.run(apply_topics(connection_options(kafka_settings()), replication=replication))
    _print(applied)
    if applied.differing:
        raise TopicsDiffer(f"{len(applied.differing)} topic settings differ; change them with Kafka's own tools.")


@topics.command("acl")
def acl_command(
    apply: Annotated[bool, typer.Option("--apply", help="Make what is missing on the broker.")] = False,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="With --apply: take away what no file says.")] = False,
) -> None:
    """Print what each service may do on a locked broker, or make it so: what is missing is made, all else denied.

    Ends with 1 when a service may do more than the topic files say.
    """
    if not apply:
        for acl in wanted_acls(catalogue(repository_root())):
            typer.echo(str(acl))
        return
    applied = asyncio.run(apply_acls(connection_options(kafka_settings()), withdraw=withdraw))
    _print(applied)
    if applied.differing:
        raise TopicsDiffer(f"{len(applied.differing)} access rules differ; --withdraw takes them away.")


def _print(applied: Applied) -> None:
    for name in applied.created:
        typer.echo(f"created   {name}")
    for name in applied.present:
        typer.echo(f"present   {name}")
    for sentence in applied.differing:
        typer.echo(f"differs   {sentence}")


def kafka_settings() -> KafkaSettings:
    """How to speak to the broker that the environment names, or to the running stack's as its administrator."""
    return KafkaSettings() if os.environ.get("BELLWETHER_KAFKA_BOOTSTRAP") else Layout.read(Home.found()).kafka_settings


def tail(
    topic: Annotated[str, typer.Argument(help="A topic, for instance account-alerts.")],
    from_beginning: Annotated[bool, typer.Option("--from-beginning", help="All that the topic still holds.")] = False,
    tenant: Annotated[str | None, typer.Option(help="Only this tenant's.")] = None,
    stop_at_end: Annotated[bool, typer.Option("--stop-at-end", help="End when all is read.")] = False,
) -> None:
    """Print the events of a topic as they come: time, key, type and data. Ctrl-C ends it."""
    console = Console(soft_wrap=True)
    options = connection_options(kafka_settings())

    async def follow() -> None:
        async for record in _records(options, topic, from_beginning=from_beginning, stop_at_end=stop_at_end):
            key = (record.key or b"").decode(errors="replace")
            if tenant is None or key.startswith(f"{tenant}/"):
                console.print(_line(key, record), highlight=False)

    try:
        asyncio.run(follow())
    except KeyboardInterrupt:
        return
    except KafkaError as error:
        raise EngineFailed(f"Kafka does not answer: {type(error).__name__}.") from error


async def _records(
    options: Mapping[str, Any], topic: str, *, from_beginning: bool, stop_at_end: bool
) -> AsyncIterator[ConsumerRecord]:
    await _require(options, topic)
    reset = "earliest" if from_beginning else "latest"
    consumer = AIOKafkaConsumer(topic, **options, auto_offset_reset=reset, enable_auto_commit=False)
    try:
        await consumer.start()
        ends = await consumer.end_offsets(consumer.assignment()) if stop_at_end else {}
        while True:
            for batch in (await consumer.getmany(timeout_ms=250)).values():
                for record in batch:
                    yield record
            if stop_at_end and all([await consumer.position(each) >= end for each, end in ends.items()]):
                return
    finally:
        await consumer.stop()


async def _require(options: Mapping[str, Any], topic: str) -> None:
    """A consumer would wait for ever for a topic that is not there."""
    admin = AIOKafkaAdminClient(**options)
    try:
        await admin.start()
        known = await admin.list_topics()
    finally:
        await admin.close()
    if topic not in known:
        raise UnknownTopic(f"The broker has no topic {topic!r}; it has {', '.join(sorted(known))}.")


def _line(key: str, record: ConsumerRecord) -> str:
    """Time, key, type and data of an event; the bytes as they are where they are no event."""
    if record.value is None:
        return f"{'':<20} [bold]{escape(key)}[/] removed (tombstone)"
    try:
        event = json.loads(record.value)
        when, kind, data = event["time"], event["type"], json.dumps(event.get("data"), ensure_ascii=False)
    except (ValueError, KeyError, TypeError):
        when, kind, data = "", "not an event", repr(record.value[:500])
    return f"[dim]{escape(str(when))}[/] [bold]{escape(key)}[/] [cyan]{escape(str(kind))}[/] {escape(data)}"


def kafka_tool(
    name: Annotated[str, typer.Argument(help=f"{', '.join(kafka.TOOLS)}, or a class name.")],
    arguments: Annotated[list[str] | None, typer.Argument(help="The tool's own arguments.")] = None,
) -> None:
    """Run one of Kafka's own tools against the stack's broker, as its administrator.

    --bootstrap-server and, where the broker is locked, --command-config are added when you name no server.
    """
    given = list(arguments or [])
    if not any(argument.startswith("--bootstrap-server") for argument in given) and name != "dump-log":
        settings = kafka_settings()
        locked = [] if settings.kafka_security_protocol == "PLAINTEXT" else ["--command-config", _login_file(settings)]
        given = ["--bootstrap-server", settings.kafka_bootstrap, *locked, *given]
    command, environment = kafka.tool_command(name, given)
    os.execvpe(command[0], command, environment)  # noqa: S606


def _login_file(settings: KafkaSettings) -> str:
    file = Home.found().path / "kafka-client.properties"
    write_private(file, kafka.client_properties(settings).encode())
    return str(file)


kafka_tool.context_settings = {"ignore_unknown_options": True}  # type: ignore[attr-defined]
