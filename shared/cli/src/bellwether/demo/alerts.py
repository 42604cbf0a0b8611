"""The alerts of the year, read where operations read them: on the topic, from its beginning."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer

TOPIC = "account-alerts"


@dataclass(slots=True)
class AlertStory:
    """One alert over its life; ``steps`` are (time, what happened, its data)."""

    account_id: str
    kind: str
    steps: list[tuple[datetime, str, dict[str, Any]]] = field(default_factory=list)

    @property
    def opened_at(self) -> datetime:
        """When it first opened."""
        return self.steps[0][0]

    def is_open_at(self, instant: datetime) -> bool:
        """Whether it was unresolved then."""
        before = [what for at, what, _ in self.steps if at <= instant]
        return bool(before) and before[-1] != "resolved"


def read_alerts(options: Mapping[str, Any]) -> list[AlertStory]:
    """Every alert on the topic of the broker that a client reaches by these options, in the order they opened."""
    stories: dict[str, AlertStory] = {}
    for event in asyncio.run(_events(options)):
        data = event["data"]
        story = stories.setdefault(data["alert_id"], AlertStory(data["account_id"], data["kind"]))
        what = event["type"].split(".")[2]
        story.steps.append((datetime.fromisoformat(event["time"]), what, data))
    return sorted(stories.values(), key=lambda story: story.opened_at)


async def _events(options: Mapping[str, Any]) -> list[dict[str, Any]]:
    consumer = AIOKafkaConsumer(TOPIC, **options, auto_offset_reset="earliest")
    await consumer.start()
    try:
        ends = await consumer.end_offsets(consumer.assignment())
        found: list[dict[str, Any]] = []
        while any([await consumer.position(tp) < end for tp, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=500)).values():
                found += [msgspec.json.decode(record.value) for record in records]
    finally:
        await consumer.stop()
    return found
