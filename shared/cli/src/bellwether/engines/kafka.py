"""Apache Kafka, broker and controller in one process: a formatted log folder and the command that serves it."""

import os
import shutil
import subprocess
import uuid
from base64 import urlsafe_b64encode
from pathlib import Path

from bellwether.engines.jars import Progress, class_path
from bellwether.engines.java import find_java
from bellwether.engines.ports import LOOPBACK, answers
from bellwether.engines.program import Program
from bellwether.engines.space import writing_to
from bellwether.errors import EngineFailed

JVM = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx512m", "-Xshare:auto")
QUIET = ("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",)
LOGGING = (
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=info",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
)
TOOLS = {
    "console-consumer": "org.apache.kafka.tools.consumer.ConsoleConsumer",
    "console-producer": "org.apache.kafka.tools.ConsoleProducer",
    "topics": "org.apache.kafka.tools.TopicCommand",
    "consumer-groups": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
    "configs": "kafka.admin.ConfigCommand",
    "get-offsets": "org.apache.kafka.tools.GetOffsetShell",
    "dump-log": "org.apache.kafka.tools.DumpLogSegments",
}
PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers={host}:{controller}
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller}
advertised.listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={logs}
auto.create.topics.enable=false
message.max.bytes=1048588
offsets.topic.num.partitions=5
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=2
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
log.cleaner.dedupe.buffer.size=33554432
controlled.shutdown.max.retries=1
"""


def prepare(data: Path, port: int, controller: int, *, progress: Progress | None = None) -> Program:
    """Fetch the jars, format the log folder if it is new, and say how to serve it on the two ports.

    Raises JavaUnusable, NoNetwork, CorruptJar, DiskFull, EngineFailed.
    """
    java = find_java()
    jars = class_path(progress=progress)
    logs = data / "logs"
    properties = data / "server.properties"
    with writing_to(data):
        data.mkdir(parents=True, exist_ok=True)
        properties.write_text(PROPERTIES.format(host=LOOPBACK, port=port, controller=controller, logs=logs))
        if not (logs / "meta.properties").exists():
            _format(java, jars, logs, properties)
    command = (str(java), *JVM, *LOGGING, "kafka.Kafka", str(properties))
    return Program("kafka", command, data, lambda: answers(port), {"CLASSPATH": jars})


def _format(java: Path, jars: str, logs: Path, properties: Path) -> None:
    shutil.rmtree(logs, ignore_errors=True)
    # The first byte is 0, so that the id never begins with a dash and looks like an option.
    cluster = urlsafe_b64encode(b"\0" + uuid.uuid4().bytes[1:]).decode().rstrip("=")
    command = [str(java), *JVM, *QUIET, "kafka.tools.StorageTool", "format", "--standalone"]
    command += ["--cluster-id", cluster, "--config", str(properties)]
    variables = os.environ | {"CLASSPATH": jars}
    run = subprocess.run(command, check=False, capture_output=True, text=True, env=variables)  # noqa: S603
    if run.returncode:
        shutil.rmtree(logs, ignore_errors=True)
        said = (run.stderr.strip() or run.stdout.strip() or "no reason given").splitlines()
        raise EngineFailed(f"Kafka's storage in {logs} cannot be formatted: {said[-1]}")


def answers_at(bootstrap: str) -> bool:
    """Whether the first broker of `host:port,…` accepts connections."""
    host, _, port = bootstrap.split(",", maxsplit=1)[0].strip().rpartition(":")
    return answers(int(port), host)


def tool_command(name: str, arguments: list[str]) -> tuple[list[str], dict[str, str]]:
    """The command and environment that run one of Kafka's own tools (a name of TOOLS, or a class)."""
    java = str(find_java())
    command = [java, *JVM, *QUIET, TOOLS.get(name, name), *arguments]
    return command, os.environ | {"CLASSPATH": class_path()}
