"""The engines that a stack runs itself, ready to be started: Kafka's brokers and PostgreSQL."""

from collections.abc import Callable

from bellwether.engines import kafka, postgres
from bellwether.engines.jars import Progress
from bellwether.home import Home
from bellwether.stack import access
from bellwether.stack.layout import SERVICES, Layout
from bellwether.stack.processes import Process, of_engine

Say = Callable[[str], None]


def prepare_engines(layout: Layout, say: Say, progress: Progress | None) -> list[Process]:
    """Kafka first: what needs the network fails before anything is made."""
    home, engines = Home(layout.home), []
    if layout.brokers:
        say("Preparing Kafka")
        locks = access.locks(home, SERVICES) if layout.secure else None
        engines += kafka.prepare([_node(layout, name) for name in layout.brokers], locks=locks, progress=progress)
    if layout.runs("postgres"):
        say("Preparing PostgreSQL")
        engines.append(postgres.prepare(layout.home / "postgres", layout.ports["postgres"]))
    return [of_engine(each) for each in engines]


def _node(layout: Layout, name: str) -> kafka.Node:
    return kafka.Node(name, layout.home / name, layout.ports[name], layout.ports[f"{name}-controller"])
