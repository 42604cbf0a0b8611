"""A stack whose Kafka is locked: who logs in as what, what each service may do there, and that nobody else may."""

import asyncio
import json
import os
import socket
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    KafkaConnectionError,
    TopicAuthorizationFailedError,
)

from bellwether.acls import Acl, apply_acls
from bellwether.engines.certificates import authority
from bellwether.engines.ports import LOOPBACK
from bellwether.errors import EngineFailed
from bellwether.home import Home
from bellwether.stack import Stack
from bellwether.stack.layout import SERVICES, Layout, planned
from bellwether.stack.processes import of_services
from bellwether_kit.events.kafka import connection_options, consumer_options, producer_options
from bellwether_kit.events.relay import Relay
from bellwether_kit.settings import KafkaSettings


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, postgres: str) -> Iterator[Stack]:
    """A locked Kafka of its own, started once for all of these tests, with the topics and their rules."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("BELLWETHER_POSTGRES_URL", postgres)
        environment.delenv("BELLWETHER_KAFKA_BOOTSTRAP", raising=False)
        running = Stack(Home(tmp_path_factory.mktemp("home")), services=(), any_port=True, secure=True)
        running.start()
        try:
            yield running
        finally:
            running.stop()


@pytest.fixture
def layout(stack: Stack) -> Layout:
    return stack.layout


As = Callable[..., KafkaSettings]


@pytest.fixture
def as_(layout: Layout) -> As:
    """The settings of a service's worker; `more` by variable."""

    def made(service: str, **more: str) -> KafkaSettings:
        return KafkaSettings(**{**layout.kafka_variables(service), **more})  # type: ignore[arg-type]

    return made


@asynccontextmanager
async def started(client: Any) -> AsyncIterator[Any]:
    """An aiokafka client, started, and stopped whatever happens."""
    try:
        async with asyncio.timeout(60):
            await client.start()
            yield client
    finally:
        await client.stop()


async def read_one(settings: KafkaSettings, topic: str, group: str) -> bytes:
    """Read a record as a member of the group, and commit it."""
    async with started(AIOKafkaConsumer(topic, **consumer_options(settings, group))) as consumer:
        record = await consumer.getone()
        await consumer.commit()
        return bytes(record.value)


async def write(settings: KafkaSettings, topic: str, value: bytes = b"1") -> None:
    async with started(AIOKafkaProducer(**producer_options(settings))) as producer:
        await producer.send_and_wait(topic, value, b"key")


async def test_a_service_does_its_own_work(as_: As) -> None:
    await write(as_("profile"), "accounts", b"an account")
    await write(as_("scoring"), "account-scores")
    await write(as_("scoring"), "accounts-dlq")

    assert await read_one(as_("scoring"), "accounts", "scoring") == b"an account"


async def test_a_service_writes_no_topic_of_another(as_: As) -> None:
    for topic in ("accounts", "client-evidence", "account-scores-dlq"):
        with pytest.raises(TopicAuthorizationFailedError):
            await write(as_("scoring"), topic)


async def test_a_service_reads_nothing_that_it_does_not_subscribe_to(as_: As, layout: Layout) -> None:
    await write(as_("metrics"), "client-evidence")
    with pytest.raises(TopicAuthorizationFailedError):
        await read_one(as_("plan"), "client-evidence", "plan")
    # Nor what it only writes: its own topic, and the dead letters of what it reads.
    for topic in ("account-plans", "accounts-dlq"):
        with pytest.raises(TopicAuthorizationFailedError):
            await read_one(as_("plan"), topic, "plan")


async def test_a_service_is_in_no_group_but_its_own(as_: As) -> None:
    await write(as_("profile"), "accounts")
    with pytest.raises(GroupAuthorizationFailedError):
        await read_one(as_("scoring"), "accounts", "plan")


async def test_a_service_makes_no_topic(as_: As) -> None:
    admin = AIOKafkaAdminClient(**connection_options(as_("scoring")))
    await admin.start()
    try:
        answer = await admin.create_topics([NewTopic("mine", 1, 1)])
    finally:
        await admin.close()

    assert [code for _, code, *_ in answer.topic_errors] == [TopicAuthorizationFailedError.errno]


async def refused(settings: KafkaSettings, log: pytest.LogCaptureFixture) -> str:
    """Why a client of these settings can't even begin; it says so in its log only."""
    log.clear()
    with pytest.raises(KafkaConnectionError):
        await write(settings, "account-scores")
    return log.text


async def test_nobody_logs_in_with_a_wrong_password_or_that_of_another(
    as_: As, layout: Layout, caplog: pytest.LogCaptureFixture
) -> None:
    name = "BELLWETHER_KAFKA_SASL_PASSWORD"
    for password in ("guessed", layout.kafka_variables("plan")[name]):
        assert "SaslAuthenticationFailed" in await refused(as_("scoring", **{name: password}), caplog)


async def test_a_client_trusts_the_authority_of_the_home_and_no_other(
    as_: As, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    authority(tmp_path)
    other = as_("scoring", BELLWETHER_KAFKA_CA_FILE=str(tmp_path / "ca.pem"))
    assert "CERTIFICATE_VERIFY_FAILED" in await refused(other, caplog)


def heard(context: ssl.SSLContext, port: int) -> bytes:
    """What a port answers to the question which versions it speaks, which is asked before all others."""
    with (
        socket.create_connection((LOOPBACK, port), 5) as plain,
        context.wrap_socket(plain, server_hostname=LOOPBACK) as connection,
    ):
        connection.sendall(bytes.fromhex("0000000d 0012 0000 00000001 0003 627774"))
        return connection.recv(4)


def test_the_controller_hears_nobody_without_a_certificate_of_the_home(layout: Layout) -> None:
    access = layout.home / "kafka-access"
    context, port = ssl.create_default_context(cafile=access / "ca.pem"), layout.ports["kafka-controller"]
    with pytest.raises((ssl.SSLError, ConnectionError)):
        heard(context, port)

    context.load_cert_chain(access / "broker.pem")
    assert len(heard(context, port)) == 4


async def test_rules_that_no_file_gives_are_told_and_taken_away_when_asked(as_: As, layout: Layout) -> None:
    stray, options = Acl("plan", "read", "topic", "account-plans"), layout.kafka_options
    first = await apply_acls(options)
    [made] = (await apply_acls(options, [stray])).created
    told = await apply_acls(options)
    withdrawn = await apply_acls(options, withdraw=True)
    again = await apply_acls(options)

    assert (first.created, first.differing) == ((), ())
    assert made == "plan may read topic account-plans"
    assert told.differing == (f"{made}, which no topic file says",)
    assert (withdrawn.differing, again.differing, again.created) == ((), (), ())


async def test_a_service_makes_no_rule(as_: As) -> None:
    with pytest.raises(EngineFailed, match="access rules cannot be told: ClusterAuthorizationFailedError"):
        await apply_acls(connection_options(as_("scoring")))


async def test_a_topic_that_is_forbidden_holds_up_no_other(as_: As, postgres: str) -> None:
    table = """
        CREATE TEMPORARY TABLE outbox (
            id bigint, topic text, key text, type text, event_id uuid, value bytea, headers jsonb,
            published_at timestamptz)
    """
    row = "INSERT INTO outbox VALUES (%s, %s, 'k', 't', gen_random_uuid(), '1', NULL, NULL)"
    relay = Relay(as_("scoring"), postgres, source="/scoring-svc")
    async with await psycopg.AsyncConnection.connect(postgres, autocommit=True) as database:
        await database.execute(table)
        for number, topic in enumerate(("account-alerts-dlq", "client-evidence-dlq", "account-scores"), start=1):
            await database.execute(row, [number, topic])
        try:
            published = await relay.publish(database)
            left = await (await database.execute("SELECT topic FROM outbox WHERE published_at IS NULL")).fetchall()
        finally:
            relay.stop()
            await relay.run()

    assert (published, left) == (2, [("account-alerts-dlq",)])


def test_only_workers_are_told_how_to_log_in_each_as_itself(stack: Stack) -> None:
    layout = planned(stack.home, any_port=True, secure=True)
    told = {process.name: process.environment for process in of_services(layout)}
    logins = {name: variables.get("BELLWETHER_KAFKA_SASL_USERNAME") for name, variables in told.items()}
    passwords = {v["BELLWETHER_KAFKA_SASL_PASSWORD"] for name, v in told.items() if name.endswith("-worker")}

    assert logins == {f"{s}-worker": s for s in SERVICES} | {f"{s}-api": None for s in SERVICES}
    assert len(passwords) == len(SERVICES)
    assert not [name for variables in (told[f"{s}-api"] for s in SERVICES) for name in variables if "_KAFKA_" in name]


def bellwether(stack: Stack, *arguments: str) -> str:
    environment = os.environ | {"BELLWETHER_HOME": str(stack.home.path), "COLUMNS": "200"}
    environment.pop("BELLWETHER_KAFKA_BOOTSTRAP", None)
    command = [str(Path(sys.executable).with_name("bellwether")), *arguments]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=120)
    return run.stdout


def test_the_commands_speak_to_it_as_its_administrator(stack: Stack) -> None:
    assert "(secure: " in bellwether(stack, "status")
    assert json.loads(bellwether(stack, "status", "--json"))["kafka_protocol"] == "SASL_SSL"
    assert "present   accounts-dlq" in bellwether(stack, "topics", "apply")
    assert "present   plan may read group plan" in bellwether(stack, "topics", "acl", "--apply")
    assert bellwether(stack, "tail", "account-plans", "--from-beginning", "--stop-at-end") == ""
    assert "client-evidence" in bellwether(stack, "kafka-tool", "topics", "--list").splitlines()


def test_what_is_secret_is_readable_by_its_owner_only(stack: Stack) -> None:
    access = stack.home.path / "kafka-access"
    files = [*access.iterdir(), stack.home.path / "kafka" / "server.properties"]
    log = (stack.home.logs / "kafka.log").read_text()

    assert {file.stat().st_mode & 0o077 for file in files} == {0}
    assert (stack.home.path / "kafka").stat().st_mode & 0o077 == 0
    assert not [file for file in access.glob("*-password") if file.read_text() in log]
