"""Apache Kafka, broker and controller in one process: formatted log folders and the commands that serve them."""

import json
import os
import shutil
import subprocess
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from bellwether.engines.jars import Progress, class_path
from bellwether.engines.java import find_java
from bellwether.engines.ports import LOOPBACK, answers
from bellwether.engines.program import Program
from bellwether.engines.space import writing_to
from bellwether.errors import BellwetherError, EngineFailed
from bellwether.home import write_private
from bellwether_kit.settings import KafkaSettings

JVM = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")
QUIET = ("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",)
LOGGING = (
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=info",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
)
MADE = "made.json"
"""By how many brokers and with which users a log folder was formatted."""
TOOLS = {
    "console-consumer": "org.apache.kafka.tools.consumer.ConsoleConsumer",
    "console-producer": "org.apache.kafka.tools.ConsoleProducer",
    "topics": "org.apache.kafka.tools.TopicCommand",
    "consumer-groups": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
    "configs": "kafka.admin.ConfigCommand",
    "get-offsets": "org.apache.kafka.tools.GetOffsetShell",
    "acls": "org.apache.kafka.tools.AclCommand",
    "dump-log": "org.apache.kafka.tools.DumpLogSegments",
}
PROPERTIES = """\
process.roles=broker,controller
node.id={node}
{quorum}
listeners={protocol}://{host}:{port},CONTROLLER://{host}:{controller}
advertised.listeners={protocol}://{host}:{port},CONTROLLER://{host}:{controller}
controller.listener.names=CONTROLLER
inter.broker.listener.name={protocol}
listener.security.protocol.map={protocol}:{protocol},CONTROLLER:{controller_protocol}
log.dirs={logs}
auto.create.topics.enable=false
message.max.bytes=1048588
default.replication.factor={replication}
min.insync.replicas={in_sync}
offsets.topic.num.partitions=5
offsets.topic.replication.factor={replication}
transaction.state.log.num.partitions=2
transaction.state.log.replication.factor={replication}
transaction.state.log.min.isr={in_sync}
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor={replication}
share.coordinator.state.topic.min.isr={in_sync}
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
log.cleaner.dedupe.buffer.size=33554432
controlled.shutdown.max.retries=1
"""
LOCKED = """\
sasl.enabled.mechanisms=SCRAM-SHA-512
sasl.mechanism.inter.broker.protocol=SCRAM-SHA-512
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config={login}
listener.name.controller.ssl.client.auth=required
ssl.keystore.type=PEM
ssl.keystore.location={keystore}
ssl.truststore.type=PEM
ssl.truststore.location={authority}
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:{broker};User:CN={broker};User:{administrator}
"""
"""Controllers know each other by certificate, everybody else logs in; what no rule allows is denied."""


@dataclass(frozen=True)
class Node:
    """One broker: its process's name, its folder and its two ports."""

    name: str
    data: Path
    port: int
    controller: int


@dataclass(frozen=True)
class Locks:
    """What brokers with access control need: PEM files, and the passwords of all users by name."""

    keystore: Path
    authority: Path
    passwords: Mapping[str, str]
    broker: str
    administrator: str


class MadeOtherwise(BellwetherError):
    """Kafka's data were made by other brokers, or with another access control, than are to serve them now."""


def prepare(nodes: Sequence[Node], *, locks: Locks | None = None, progress: Progress | None = None) -> list[Program]:
    """Fetch the jars, format the log folders if they are new, and say how to serve them, each on its two ports.

    Several nodes are one cluster: each record on three of them at the most, and taken when two have it.
    Raises JavaUnusable, NoNetwork, CorruptJar, DiskFull, EngineFailed, MadeOtherwise.
    """
    java = find_java()
    jars = class_path(progress=progress)
    heap = "-Xmx512m" if len(nodes) == 1 else "-Xmx256m"
    _require_same(nodes, locks)
    with writing_to(nodes[0].data):
        for number, node in enumerate(nodes, start=1):
            node.data.mkdir(parents=True, exist_ok=True, mode=0o700 if locks else 0o777)
            write_private(node.data / "server.properties", _properties(number, nodes, locks).encode())
        if not _is_formatted(nodes[0]):
            _format(java, jars, nodes, locks)
    return [
        Program(
            node.name,
            (str(java), *JVM, heap, *LOGGING, "kafka.Kafka", str(node.data / "server.properties")),
            node.data,
            partial(answers, node.port),
            {"CLASSPATH": jars},
        )
        for node in nodes
    ]


def _properties(number: int, nodes: Sequence[Node], locks: Locks | None) -> str:
    node, alone = nodes[number - 1], len(nodes) == 1
    voters = ",".join(f"{each}@{LOOPBACK}:{node.controller}" for each, node in enumerate(nodes, start=1))
    text = PROPERTIES.format(
        node=number,
        # Voters in the file may move to other ports; those that Kafka keeps in its log have to be reached to be moved.
        quorum=f"controller.quorum.bootstrap.servers={LOOPBACK}:{node.controller}"
        if alone
        else f"controller.quorum.voters={voters}",
        host=LOOPBACK,
        port=node.port,
        controller=node.controller,
        protocol="SASL_SSL" if locks else "PLAINTEXT",
        controller_protocol="SSL" if locks else "PLAINTEXT",
        logs=node.data / "logs",
        replication=min(3, len(nodes)),
        in_sync=1 if alone else 2,
    )
    if locks:
        login = login_of(locks.broker, locks.passwords[locks.broker])
        files = {"keystore": locks.keystore, "authority": locks.authority}
        text += LOCKED.format(login=login, broker=locks.broker, administrator=locks.administrator, **files)
    return text


def login_of(user: str, password: str, module: str = "scram.ScramLoginModule") -> str:
    """How Java is told of a user and a password."""
    return f'org.apache.kafka.common.security.{module} required username="{user}" password="{password}";'


def _is_formatted(node: Node) -> bool:
    return (node.data / "logs" / "meta.properties").exists()


def _require_same(nodes: Sequence[Node], locks: Locks | None) -> None:
    """Refuse data that other brokers made: a quorum keeps its members, and users are made with the data."""
    if not _is_formatted(nodes[0]):
        return
    folder = nodes[0].data
    record = folder / MADE
    made = json.loads(record.read_text()) if record.exists() else {"brokers": 1, "users": []}
    wanted = _made(nodes, locks)
    if made != wanted:
        raise MadeOtherwise(
            f"Kafka's data in {folder} are of {_words(made)}, not of {_words(wanted)}: "
            "start it as it was made, or name another home in BELLWETHER_HOME."
        )


def _made(nodes: Sequence[Node], locks: Locks | None) -> dict[str, Any]:
    return {"brokers": len(nodes), "users": sorted(locks.passwords) if locks else []}


def _words(made: dict[str, Any]) -> str:
    brokers = "one broker" if made["brokers"] == 1 else f"{made['brokers']} brokers"
    return (
        f"{brokers} with access control for {', '.join(made['users'])}" if made["users"] else f"{brokers} open to all"
    )


def _format(java: Path, jars: str, nodes: Sequence[Node], locks: Locks | None) -> None:
    # The first byte is 0, so that the id never begins with a dash and looks like an option.
    cluster = urlsafe_b64encode(b"\0" + uuid.uuid4().bytes[1:]).decode().rstrip("=")
    words = ["kafka.tools.StorageTool", "format", "--cluster-id", cluster]
    words += ["--standalone"] if len(nodes) == 1 else []
    for user, password in (locks.passwords if locks else {}).items():
        words += ["--add-scram", f"SCRAM-SHA-512=[name={user},password={password}]"]
    first, *others = nodes
    (first.data / MADE).write_text(json.dumps(_made(nodes, locks)))
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda node: _format_one(java, jars, node, words), others))
    _format_one(java, jars, first, words)  # last, so that it is formatted when all are


def _format_one(java: Path, jars: str, node: Node, words: Sequence[str]) -> None:
    logs = node.data / "logs"
    shutil.rmtree(logs, ignore_errors=True)
    # Java reads its arguments from a file, because everybody on the machine sees those of a command.
    file = node.data / "format.arguments"
    write_private(file, "\n".join([*words, "--config", f'"{node.data / "server.properties"}"']).encode())
    command = [str(java), *JVM, *QUIET, f"@{file}"]
    try:
        run = subprocess.run(  # noqa: S603
            command, check=False, capture_output=True, text=True, env=os.environ | {"CLASSPATH": jars}
        )
    finally:
        file.unlink()
    if run.returncode:
        shutil.rmtree(logs, ignore_errors=True)
        said = (run.stderr.strip() or run.stdout.strip() or "no reason given").splitlines()
        raise EngineFailed(f"Kafka's storage in {logs} cannot be formatted: {said[-1]}")


def answers_at(bootstrap: str) -> bool:
    """Whether the first broker of `host:port,…` accepts connections."""
    host, _, port = bootstrap.split(",", maxsplit=1)[0].strip().rpartition(":")
    return answers(int(port), host)


def client_properties(settings: KafkaSettings) -> str:
    """How Kafka's own tools are told what the settings say; it may hold a password."""
    password = settings.kafka_sasl_password
    told = {
        "security.protocol": settings.kafka_security_protocol,
        "sasl.mechanism": settings.kafka_sasl_mechanism,
        "ssl.truststore.type": settings.kafka_ca_file and "PEM",
        "ssl.truststore.location": settings.kafka_ca_file,
    }
    if settings.kafka_sasl_username and password:
        login = "plain.PlainLoginModule" if settings.kafka_sasl_mechanism == "PLAIN" else "scram.ScramLoginModule"
        told["sasl.jaas.config"] = login_of(settings.kafka_sasl_username, password.get_secret_value(), login)
    return "".join(f"{name}={value}\n" for name, value in told.items() if value)


def tool_command(name: str, arguments: list[str]) -> tuple[list[str], dict[str, str]]:
    """The command and environment that run one of Kafka's own tools (a name of TOOLS, or a class)."""
    java = str(find_java())
    command = [java, *JVM, *QUIET, TOOLS.get(name, name), *arguments]
    return command, os.environ | {"CLASSPATH": class_path()}
