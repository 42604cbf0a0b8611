"""The topics of `shared/contracts/topics` on a broker: made when missing, never changed, differences reported."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError

from bellwether.contracts.catalogue import Topic, topics
from bellwether.errors import BellwetherError, EngineFailed
from bellwether.home import repository_root

DAY_MS = 86_400_000
DEAD_LETTER_PARTITIONS = 3
DEAD_LETTER_DAYS = 90
VISIBLE_SECONDS = 15


class TopicsDiffer(BellwetherError):
    """A topic on the broker is not as its file says."""


@dataclass(frozen=True)
class Wanted:
    """One topic as it should be; configuration values as the broker spells them."""

    name: str
    partitions: int
    config: dict[str, str]


@dataclass(frozen=True)
class Applied:
    """What was made, what was there, and where the broker differs from the files."""

    created: tuple[str, ...]
    present: tuple[str, ...]
    differing: tuple[str, ...]
    """One sentence each."""


def wanted_topics(files: list[Topic]) -> list[Wanted]:
    """Every topic and its dead-letter topic."""
    dead = {"cleanup.policy": "delete", "retention.ms": str(DEAD_LETTER_DAYS * DAY_MS)}
    found = []
    for topic in files:
        config = {"cleanup.policy": topic.cleanup_policy}
        if topic.retention_ms is not None:
            config["retention.ms"] = str(topic.retention_ms)
        found += [
            Wanted(topic.name, topic.partitions, config),
            Wanted(f"{topic.name}-dlq", DEAD_LETTER_PARTITIONS, dead),
        ]
    return found


async def apply_topics(
    options: Mapping[str, Any], wanted: list[Wanted] | None = None, *, replication: int = 1
) -> Applied:
    """Create what is missing (default: the repository's topics) and compare what is there. Raises EngineFailed.

    `options` say how a client of aiokafka reaches the broker.
    """
    wanted = wanted_topics(topics(repository_root())) if wanted is None else wanted
    admin = AIOKafkaAdminClient(**options, client_id="bellwether-topics")
    try:
        await admin.start()
        there = set(await admin.list_topics())
        missing = [topic for topic in wanted if topic.name not in there]
        await _create(admin, missing, replication)
        present = [topic for topic in wanted if topic.name in there]
        differing = await _differences(admin, present) if present else []
    except (KafkaError, TimeoutError) as error:
        raise no_answer(options, error) from error
    finally:
        await admin.close()
    created = tuple(topic.name for topic in missing)
    return Applied(created, tuple(topic.name for topic in present), tuple(differing))


async def compare_topics(options: Mapping[str, Any], wanted: list[Wanted]) -> tuple[list[str], list[str]]:
    """The names of those that the broker lacks, and a sentence for each other difference; raises EngineFailed."""
    admin = AIOKafkaAdminClient(**options, client_id="bellwether-topics")
    try:
        await admin.start()
        there = set(await admin.list_topics())
        present = [topic for topic in wanted if topic.name in there]
        differing = await _differences(admin, present) if present else []
    except (KafkaError, TimeoutError) as error:
        raise no_answer(options, error) from error
    finally:
        await admin.close()
    return [topic.name for topic in wanted if topic.name not in there], differing


def no_answer(options: Mapping[str, Any], error: BaseException) -> EngineFailed:
    """What to say of a broker that answers nothing, or not to us."""
    return EngineFailed(f"Kafka at {options['bootstrap_servers']} does not answer: {type(error).__name__}.")


async def _create(admin: AIOKafkaAdminClient, missing: list[Wanted], replication: int) -> None:
    if not missing:
        return
    made = [
        NewTopic(
            topic.name, num_partitions=topic.partitions, replication_factor=replication, topic_configs=topic.config
        )
        for topic in missing
    ]
    await _until_registered(admin, replication)
    answer = await admin.create_topics(made)
    for name, code, *rest in answer.topic_errors:
        if code not in (0, TopicAlreadyExistsError.errno):  # somebody made it between our look and our word
            raise EngineFailed(f"Topic {name} cannot be created: {rest[0] if rest and rest[0] else f'error {code}'}.")
    names = {topic.name for topic in missing}
    async with asyncio.timeout(VISIBLE_SECONDS):
        # The controller has them, the broker may not yet.
        while not names <= set(await admin.list_topics()):  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.05)


async def _until_registered(admin: AIOKafkaAdminClient, brokers: int) -> None:
    """Brokers that are just starting listen before they count. Where they stay too few, Kafka says so itself."""
    with suppress(TimeoutError):
        async with asyncio.timeout(VISIBLE_SECONDS):
            while len((await admin.describe_cluster())["brokers"]) < brokers:  # noqa: ASYNC110 - no event
                await asyncio.sleep(0.1)


async def _differences(admin: AIOKafkaAdminClient, present: list[Wanted]) -> list[str]:
    names = [topic.name for topic in present]
    partitions = {entry["topic"]: len(entry["partitions"]) for entry in await admin.describe_topics(names)}
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    configs: dict[str, dict[str, str]] = {}
    for answer in await admin.describe_configs(resources):
        for _code, _message, _kind, name, entries in answer.resources:
            configs[name] = {entry[0]: entry[1] for entry in entries}
    found = []
    for topic in present:
        if partitions[topic.name] != topic.partitions:
            found.append(f"{topic.name} has {partitions[topic.name]} partitions, its file says {topic.partitions}")
        for key, value in topic.config.items():
            if configs[topic.name].get(key) != value:
                found.append(f"{topic.name} has {key}={configs[topic.name].get(key)}, its file says {value}")
    return found
