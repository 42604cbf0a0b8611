"""A worker process between a real Kafka and a real PostgreSQL: outages of itself lose nothing and repeat nothing."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from uuid import UUID

import httpx
import msgspec
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from sample.service import Counted, Seen, Settings

from bellwether_kit.events import Event
from bellwether_kit.events.envelope import encode
from bellwether_kit.events.kafka import check_extension, consumer_options, producer_options
from bellwether_kit.testing import eventually
from bellwether_kit.testing.databases import address
from bellwether_kit.testing.service import START, Mailbox

THING = UUID(int=7)
TOPICS = ("sightings", "things", "sightings-dlq")


@pytest.fixture
async def topics(kafka: str) -> AsyncIterator[str]:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.create_topics([NewTopic(name, 3, 1) for name in TOPICS])
    yield kafka
    await admin.delete_topics(list(TOPICS))
    await admin.close()


@pytest.fixture
def start_worker(
    topics: str, postgres: str, database_name: str, tmp_path: Path
) -> Iterator[Callable[..., "WorkerProcess"]]:
    started: list[WorkerProcess] = []

    def start(fault: str = "") -> WorkerProcess:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        environment = os.environ | {
            "BELLWETHER_KAFKA_BOOTSTRAP": topics,
            "BELLWETHER_SAMPLE_DATABASE_URL": address(postgres, role="sample_worker", database=database_name),
            "BELLWETHER_SAMPLE_WORKER_PORT": str(port),
            "BELLWETHER_KAFKA_SESSION_TIMEOUT_MS": "1000",
            "BELLWETHER_FAULT": fault,
            "PYTHONPATH": str(Path(__file__).parents[1]),
        }
        with (tmp_path / "worker.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, Path(__file__).with_name("process.py")], env=environment, stdout=log, stderr=log
            )
        started.append(WorkerProcess(process, f"http://127.0.0.1:{port}", tmp_path / "worker.log"))
        return started[-1]

    yield start
    for worker in started:
        worker.process.kill()
        worker.process.wait()


class WorkerProcess:
    def __init__(self, process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
        self.process, self.url, self.log = process, url, log

    async def is_quiet(self) -> bool:
        async with httpx.AsyncClient() as client:
            try:
                progress = (await client.get(f"{self.url}/health/progress")).json()
            except httpx.HTTPError:
                return False
        return (progress["lag"], progress["outbox_unsent"]) == (0, 0)

    async def leads(self) -> bool:
        async with httpx.AsyncClient() as client:
            metrics = (await client.get(f"{self.url}/metrics")).text
            return "bellwether_relay_leads 1.0" in metrics and 'bellwether_reachable{engine="kafka"} 1.0' in metrics

    async def exit_code(self) -> int:
        return await asyncio.to_thread(self.process.wait, 20)


async def post(kafka: str, *events: Event | bytes, partition: int | None = None) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=kafka)
    await producer.start()
    for event in events:
        raw = (
            event
            if isinstance(event, bytes)
            else encode(event, source="/t", sequence=1, correlation=None, traceparent=None)
        )
        await producer.send_and_wait("sightings", raw, key=f"acme/{THING}".encode(), partition=partition)
    await producer.stop()


async def read_all(kafka: str, topic: str) -> list[dict[str, object]]:
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=kafka, auto_offset_reset="earliest")
    await consumer.start()
    ends = await consumer.end_offsets(consumer.assignment())
    found = []
    while any([await consumer.position(tp) < end for tp, end in ends.items()]):
        for records in (await consumer.getmany(timeout_ms=200)).values():
            found += [msgspec.json.decode(record.value) for record in records]
    await consumer.stop()
    return found


def seen(times: int) -> Event:
    return Event.of(Seen(account_id=THING, times=times), tenant="acme", subject=str(THING), time=START)


async def test_events_come_in_take_effect_and_go_out_in_order(
    start_worker: Callable[..., WorkerProcess], topics: str, mailbox: Mailbox
) -> None:
    worker = start_worker()
    await post(topics, seen(1), b"garbage", seen(2), seen(4))
    await eventually(lambda: mailbox.admin("SELECT * FROM thing WHERE total = 7"))
    await eventually(worker.is_quiet)
    said = await read_all(topics, "things")
    assert [event["sequence"] for event in said] == list(range(1, len(said) + 1))
    assert said[-1]["data"] == {"account_id": str(THING), "total": 7}
    assert said[-1]["type"] == Counted.event_type
    assert len(mailbox.dead_letters()) == 1


@pytest.mark.parametrize(
    "point",
    [
        "before-inbox",
        "after-inbox",
        "before-write",
        "after-write",
        "before-outbox",
        "after-outbox",
        "before-commit",
        "after-commit",
        "before-offset-commit",
        "after-produce",
        "in-dead-letter",
        "in-timer",
        "in-revoke",
    ],
)
async def test_a_worker_that_dies_anywhere_and_starts_again_ends_in_the_same_state(
    start_worker: Callable[..., WorkerProcess], topics: str, mailbox: Mailbox, point: str
) -> None:
    await post(topics, seen(1), b"garbage", seen(2))
    assert await start_worker(fault=f"{point}:1").exit_code() == 137
    worker = start_worker()
    await eventually(lambda: mailbox.admin("SELECT * FROM thing WHERE total = 3"))
    await eventually(worker.is_quiet)
    said = await read_all(topics, "things")
    assert {event["id"] for event in said} == {
        str(r.event_id) for r in mailbox.admin("SELECT event_id FROM outbox WHERE topic = 'things'")
    }
    assert len(mailbox.dead_letters()) == 1
    assert sorted({event["sequence"] for event in said}) == list(range(1, len({event["id"] for event in said}) + 1))


async def test_a_worker_that_dies_in_a_replay_tries_it_again_and_it_takes_effect_once(
    start_worker: Callable[..., WorkerProcess], topics: str, mailbox: Mailbox
) -> None:
    """The dead letter is one of a release that did not know the type of an event: its row says another type."""
    event = seen(4)
    raw = encode(event, source="/t", sequence=1, correlation=None, traceparent=None)
    await mailbox.process(mailbox.record("sightings", raw.replace(b"seen.v1", b"sung.v1"), key=f"acme/{THING}"))
    [letter] = mailbox.dead_letters()
    mailbox.admin("UPDATE dead_letter SET value = %s", raw)
    mailbox.admin("UPDATE dead_letter SET replay_due_at = clock_timestamp(), replay_asked_by = 'somebody'")
    assert await start_worker(fault="in-replay:1").exit_code() == 137
    assert mailbox.dead_letters()[0].replay_due_at is not None
    assert mailbox.admin("SELECT * FROM thing") == []
    worker = start_worker()
    await eventually(lambda: mailbox.dead_letters()[0].replay_outcome == "done")
    await eventually(worker.is_quiet)
    assert [row.total for row in mailbox.admin("SELECT * FROM thing")] == [4]
    assert [said["data"] for said in await read_all(topics, "things")] == [{"account_id": str(THING), "total": 4}]
    assert (letter.replay_outcome, len(mailbox.dead_letters())) == (None, 1)


async def test_a_worker_that_dies_while_partitions_move_to_another_leaves_them_to_it(
    start_worker: Callable[..., WorkerProcess], topics: str, mailbox: Mailbox
) -> None:
    first = start_worker(fault="in-revoke:2")  # the first time is when it joins, and has nothing yet
    await post(topics, seen(1))
    await eventually(first.is_quiet)
    second = start_worker()
    assert await first.exit_code() == 137
    await post(topics, seen(2))
    await eventually(lambda: mailbox.admin("SELECT * FROM thing WHERE total = 3"))
    await eventually(second.is_quiet)


async def test_a_worker_that_dies_before_it_cleans_leaves_it_to_its_successor(
    start_worker: Callable[..., WorkerProcess], topics: str, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLEAN_EVERY_SECONDS", "1")
    old, new = (f"clock_timestamp() - interval '{hours} hours'" for hours in (25, 23))
    for published in (old, new):
        mailbox.admin(
            "INSERT INTO outbox"
            " (event_id, tenant, topic, key, type, sequence, value, headers, created_at, published_at)"
            f" VALUES (gen_random_uuid(), 'acme', 'things', 'k', 't', 1, '', '{{}}', {published}, {published})"
        )
    assert await start_worker(fault="in-cleaner").exit_code() == 137
    assert len(mailbox.admin("SELECT * FROM outbox")) == 2
    start_worker()
    await eventually(lambda: len(mailbox.admin("SELECT * FROM outbox")) == 1)
    [kept] = mailbox.admin(f"SELECT published_at > {old} AS is_new FROM outbox")
    assert kept.is_new


async def test_sigterm_drains_and_exits_with_0(start_worker: Callable[..., WorkerProcess], mailbox: Mailbox) -> None:
    worker = start_worker()
    await eventually(worker.is_quiet)
    worker.process.send_signal(signal.SIGTERM)
    assert await worker.exit_code() == 0


async def test_another_worker_takes_the_relay_over_when_its_holder_is_killed(
    start_worker: Callable[..., WorkerProcess], topics: str, mailbox: Mailbox
) -> None:
    first = start_worker()
    await eventually(first.is_quiet)
    second = start_worker()
    await eventually(second.is_quiet)
    assert [await worker.leads() for worker in (first, second)] == [True, False]
    first.process.kill()
    await post(topics, seen(5))
    await eventually(lambda: mailbox.admin("SELECT * FROM outbox WHERE published_at IS NOT NULL"))
    await eventually(second.is_quiet)
    assert await second.leads()


async def test_what_another_worker_did_is_not_left_to_do_when_its_partitions_come_back(
    start_worker: Callable[..., WorkerProcess], topics: str, mailbox: Mailbox
) -> None:
    async def counted(total: int) -> None:
        for partition in range(3):
            await post(topics, seen(1), partition=partition)
        await eventually(lambda: mailbox.admin(f"SELECT * FROM thing WHERE total = {total}"))

    def moved(partitions: int) -> bool:
        words = [line for line in stays.log.read_text().splitlines() if "consumer.assigned" in line]
        return bool(words) and f'"partitions":{partitions},' in words[-1]

    stays = start_worker()
    await counted(3)
    leaves = start_worker()
    await eventually(leaves.is_quiet)
    await counted(6)
    leaves.process.send_signal(signal.SIGTERM)
    assert await leaves.exit_code() == 0
    await eventually(lambda: moved(3))
    await eventually(stays.is_quiet)


def test_the_clients_settings_are_the_safe_ones() -> None:
    consumer, producer = consumer_options(Settings(), "g"), producer_options(Settings())
    assert (consumer["enable_auto_commit"], consumer["auto_offset_reset"]) == (False, "earliest")
    assert (producer["acks"], producer["enable_idempotence"]) == ("all", True)
    assert producer["max_request_size"] < 1024 * 1024
    assert producer["linger_ms"] == 0, "each event would wait so long on its way to the broker"
    check_extension()
