"""What Kafka's data were made as, they stay: by how many brokers, open or with access control."""

import json
from pathlib import Path

import pytest

from bellwether.engines.kafka import Locks, MadeOtherwise, Node, client_properties, prepare
from bellwether_kit.settings import KafkaSettings


@pytest.fixture
def nodes(tmp_path: Path) -> list[Node]:
    return [
        Node(name, tmp_path / name, 1 + place, 4 + place) for place, name in enumerate(("kafka", "kafka-2", "kafka-3"))
    ]


@pytest.fixture
def locks(tmp_path: Path) -> Locks:
    passwords = {"admin": "a", "broker": "b", "scoring": "s"}
    return Locks(tmp_path / "broker.pem", tmp_path / "ca.pem", passwords, "broker", "admin")


def formatted(node: Node, made: dict[str, object] | None) -> None:
    """Data as an earlier start left them; those of releases that knew one open broker only have no record."""
    logs = node.data / "logs"
    logs.mkdir(parents=True)
    (logs / "meta.properties").write_text("version=1\n")
    if made is not None:
        (node.data / "made.json").write_text(json.dumps(made))


def test_open_data_are_not_served_behind_locks(nodes: list[Node], locks: Locks) -> None:
    formatted(nodes[0], None)

    with pytest.raises(
        MadeOtherwise, match=r"of one broker open to all, not of one broker with access control for admin"
    ):
        prepare(nodes[:1], locks=locks)

    assert not (nodes[0].data / "server.properties").exists()


def test_locked_data_are_not_served_to_everybody(nodes: list[Node]) -> None:
    formatted(nodes[0], {"brokers": 1, "users": ["admin", "broker"]})

    with pytest.raises(MadeOtherwise, match="for admin, broker, not of one broker open to all"):
        prepare(nodes[:1])


def test_data_of_one_broker_are_not_served_by_three(nodes: list[Node]) -> None:
    formatted(nodes[0], {"brokers": 1, "users": []})

    with pytest.raises(MadeOtherwise, match="of one broker open to all, not of 3 brokers open to all: start it as"):
        prepare(nodes)


def test_a_user_who_came_later_has_no_login_in_data_made_before(nodes: list[Node], locks: Locks) -> None:
    formatted(nodes[0], {"brokers": 1, "users": ["admin", "broker"]})

    with pytest.raises(MadeOtherwise, match="for admin, broker, scoring"):
        prepare(nodes[:1], locks=locks)


def test_data_that_were_made_the_same_way_are_served(nodes: list[Node]) -> None:
    formatted(nodes[0], None)

    [program] = prepare(nodes[:1])

    assert (program.name, program.command[-2:]) == ("kafka", ("kafka.Kafka", str(nodes[0].data / "server.properties")))


def test_the_tools_of_kafka_are_told_what_our_clients_are() -> None:
    open_to_all = KafkaSettings()
    plain = {"SECURITY_PROTOCOL": "SASL_SSL", "SASL_MECHANISM": "PLAIN", "SASL_USERNAME": "me", "SASL_PASSWORD": "x"}
    named = {f"BELLWETHER_KAFKA_{name}": value for name, value in plain.items()}
    managed = KafkaSettings(**named, BELLWETHER_KAFKA_CA_FILE="/ca.pem")  # type: ignore[arg-type, call-arg]

    assert client_properties(open_to_all) == "security.protocol=PLAINTEXT\n"
    assert client_properties(managed).splitlines() == [
        "security.protocol=SASL_SSL",
        "sasl.mechanism=PLAIN",
        "ssl.truststore.type=PEM",
        "ssl.truststore.location=/ca.pem",
        'sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username="me" password="x";',
    ]
