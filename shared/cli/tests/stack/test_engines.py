"""The stack's own engines: durable data, outages on demand, a second start on other ports."""

import psycopg
import pytest

from bellwether.engines import kafka, postgres
from bellwether.home import Home
from bellwether.stack import Stack


@pytest.fixture
def without_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BELLWETHER_POSTGRES_URL", raising=False)
    monkeypatch.delenv("BELLWETHER_KAFKA_BOOTSTRAP", raising=False)


@pytest.mark.usefixtures("without_servers")
def test_engines_keep_their_data_come_back_from_an_outage_and_start_again_elsewhere(stack_home: Home) -> None:
    stack = Stack(stack_home, services=(), any_port=True)
    stack.start()
    try:
        with psycopg.connect(stack.layout.postgres_url, autocommit=True) as session:
            session.execute("CREATE TABLE kept AS SELECT 7 AS number")
            assert session.execute("SHOW fsync").fetchone() == ("on",)
        stack.halt("kafka")
        away = kafka.answers_at(stack.layout.kafka_bootstrap)
        stack.resume("kafka")
        back = kafka.answers_at(stack.layout.kafka_bootstrap)
        first = stack.layout.postgres_url
        stack.stop()
        gone = postgres.answers(first)
        stack.start()
        with psycopg.connect(stack.layout.postgres_url) as session:
            kept = session.execute("SELECT number FROM kept").fetchone()
    finally:
        stack.stop()

    assert (away, back, gone, kept) == (False, True, False, (7,))
