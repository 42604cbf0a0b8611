"""What is left to do, on a real broker and a real database."""

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.structs import OffsetAndMetadata
from typer.testing import CliRunner

from bellwether.contracts.catalogue import Consumer, Topic
from bellwether.errors import EngineFailed
from bellwether.main import app
from bellwether.operations.backlog import _topic_lags, backlogs, topic_lags
from bellwether.topics import Wanted, apply_topics, compare_topics

Bury = Callable[..., UUID]


def topic(name: str, group: str) -> Topic:
    return Topic(
        name=name,
        purpose="A topic of this test.",
        owner="tests",
        producer="nobody",
        consumers=(Consumer(f"{group}-svc", ()),),
        types=(),
        key="tenant/account",
        partitions=2,
        retention_ms=86_400_000,
        cleanup_policy="delete",
        personal_data={"contains": False, "why": "none"},
    )


async def test_a_group_is_behind_by_what_it_has_not_committed(kafka: str) -> None:
    options = {"bootstrap_servers": kafka}
    name, group = f"check-{uuid4().hex[:8]}", f"group-{uuid4().hex[:8]}"
    await apply_topics(options, [Wanted(name, 2, {"cleanup.policy": "delete"})])
    producer = AIOKafkaProducer(**options)
    await producer.start()
    for partition in (0, 0, 0, 1):
        await producer.send_and_wait(name, b"x", partition=partition)
    await producer.stop()
    consumer = AIOKafkaConsumer(**options, group_id=group, enable_auto_commit=False)
    await consumer.start()
    consumer.assign([TopicPartition(name, 0)])
    await consumer.commit({TopicPartition(name, 0): OffsetAndMetadata(2, "")})
    await consumer.stop()
    here, absent = await _topic_lags(options, [topic(name, group), topic("zzz-absent", group)])
    assert (here.committed, here.end, here.lag) == (2, 4, 2)
    assert [(part.committed, part.end) for part in here.partitions] == [(2, 3), (0, 1)]
    assert (absent.topic, absent.lag) == ("zzz-absent", -1)
    missing, differing = await compare_topics(
        options, [Wanted(name, 3, {"cleanup.policy": "delete"}), Wanted("zzz-absent", 1, {})]
    )
    assert (missing, differing) == (["zzz-absent"], [f"{name} has 2 partitions, its file says 3"])


def test_a_broker_that_is_away_is_said_so() -> None:
    with pytest.raises(EngineFailed, match=r"127\.0\.0\.1:1 does not answer"):
        topic_lags({"bootstrap_servers": "127.0.0.1:1"}, [topic("x", "y")])


@pytest.fixture
def worker_url() -> "Callable[[int, dict[str, object]], str]":
    """``worker_url(200, {...})`` is the address of a worker that answers so."""

    def serve(status: int, body: dict[str, object]) -> str:
        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(status)
                self.end_headers()
                self.wfile.write(json.dumps(body).encode())

            def log_message(self, *_: object) -> None:
                pass

        server = HTTPServer(("127.0.0.1", 0), Answer)
        Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    return serve


def test_a_service_tells_its_rows_and_its_worker_its_timers(
    bury: Bury, plan_database: str, worker_url: Callable[..., str]
) -> None:
    bury()
    worker = worker_url(200, {"timers_due": 4, "halted": "too many"})
    [told] = backlogs({"plan": plan_database}, {"plan": worker})
    assert (told.dead_letters_open, told.outbox_unsent, told.outbox_oldest) == (1, 0, 0)
    assert (told.replays_waiting, told.timers_due, told.halted) == (0, 4, "too many")
    for silent in (worker_url(500, {}), "http://127.0.0.1:1"):
        assert backlogs({"plan": plan_database}, {"plan": silent})[0].timers_due is None


def test_the_command_prints_both(bury: Bury, kafka: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BELLWETHER_KAFKA_BOOTSTRAP", kafka)
    bury()
    told = json.loads(CliRunner().invoke(app, ["lag", "--json"]).stdout)
    assert [(each["service"], each["dead_letters_open"]) for each in told["services"]] == [("plan", 1)]
    assert {each["group"] for each in told["topics"]} >= {"plan", "scoring"}
    printed = CliRunner().invoke(app, ["lag"])
    assert (printed.exit_code, "account-alerts" in printed.stdout) == (0, True)
