"""The one place for the Kafka client's settings, with the reasons; aiokafka's own defaults can lose records."""

import ssl
from typing import TYPE_CHECKING, Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.record.default_records import DefaultRecordBatchBuilder, _DefaultRecordBatchBuilderPy

if TYPE_CHECKING:
    from bellwether_kit.settings import KafkaSettings

MAX_REQUEST_BYTES = 1_000_000
"""Below the broker's ``message.max.bytes`` (1 MiB), so that a refusal happens here and not there."""


class SlowKafkaClient(RuntimeError):
    """The client's C extension is missing, and it would run many times slower without a word."""


def check_extension() -> None:
    """Raise :class:`SlowKafkaClient` where aiokafka fell back to its Python record parser."""
    if DefaultRecordBatchBuilder is _DefaultRecordBatchBuilderPy:
        raise SlowKafkaClient("aiokafka's C extension is missing: install a wheel for this platform")


def connection_options(settings: "KafkaSettings") -> dict[str, Any]:
    """What producers, consumers and admin clients share."""
    options: dict[str, Any] = {
        "bootstrap_servers": settings.kafka_bootstrap,
        "security_protocol": settings.kafka_security_protocol,
        "metadata_max_age_ms": 30_000,
        "request_timeout_ms": 10_000,
    }
    if settings.kafka_security_protocol.endswith("SSL"):
        options["ssl_context"] = ssl.create_default_context(cafile=settings.kafka_ca_file)
    if settings.kafka_security_protocol.startswith("SASL"):
        password = settings.kafka_sasl_password
        options |= {
            "sasl_mechanism": settings.kafka_sasl_mechanism,
            "sasl_plain_username": settings.kafka_sasl_username,
            "sasl_plain_password": password.get_secret_value() if password else None,
        }
    return options


def consumer_options(settings: "KafkaSettings", group: str) -> dict[str, Any]:
    """Offsets are committed by hand after the database; a new group starts at the beginning; progress is watched."""
    return connection_options(settings) | {
        "group_id": group,
        "enable_auto_commit": False,
        "auto_offset_reset": "earliest",
        "session_timeout_ms": settings.kafka_session_timeout_ms,
        "heartbeat_interval_ms": settings.kafka_session_timeout_ms // 4,
        "rebalance_timeout_ms": 30_000,
        "max_poll_interval_ms": 120_000,
        "max_partition_fetch_bytes": 2 * 1024 * 1024,
        "fetch_max_wait_ms": 250,
        "partition_assignment_strategy": (RoundRobinPartitionAssignor,),
    }


def producer_options(settings: "KafkaSettings") -> dict[str, Any]:
    """All replicas acknowledge, repeats within a session are dropped by the broker.

    Nothing lingers: the relay hands over whole pages, and waits for all of one before the next.
    """
    return connection_options(settings) | {
        "acks": "all",
        "enable_idempotence": True,
        "compression_type": "lz4",
        "linger_ms": 0,
        "max_batch_size": 256 * 1024,
        "max_request_size": MAX_REQUEST_BYTES,
    }


def new_consumer(settings: "KafkaSettings", group: str) -> AIOKafkaConsumer:
    """A consumer of ``group`` that is not started and has no topics yet."""
    return AIOKafkaConsumer(**consumer_options(settings, group))


def new_inquirer(settings: "KafkaSettings") -> AIOKafkaConsumer:
    """A client of no group that reads no topic and is not started: it asks how far topics go.

    A broker answers a connection's requests one after the other, and a reader's fetch waits where nothing comes.
    """
    return AIOKafkaConsumer(**connection_options(settings))


def new_producer(settings: "KafkaSettings") -> AIOKafkaProducer:
    """A producer that is not started."""
    return AIOKafkaProducer(**producer_options(settings))
