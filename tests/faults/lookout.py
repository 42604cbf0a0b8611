"""A look from outside, in the middle of a run: no group has committed past a record whose effect is not there."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import psycopg
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from bellwether.stack import Stack
from faults.offsets import Offsets, client, committed
from faults.world import Outside

Key = tuple[str, str]
"""Tenant, and the id of what an event speaks of."""
_KNOWN: Final = "SELECT tenant, {id}::text, {number} FROM {table} WHERE {id} = ANY(%s::uuid[])"


@dataclass(frozen=True)
class Effect:
    """What must be there of a topic's events: a row by an id of theirs, with their number or a higher one."""

    topic: str
    said_id: str
    said_number: str
    table: str
    kept_id: str
    kept_number: str

    def expected(self, value: bytes) -> tuple[Key, int] | None:
        """What a record must have led to; None of what is no such event."""
        try:
            event = msgspec.json.decode(value)
            return (event["tenantid"], event["data"][self.said_id]), event["data"][self.said_number]
        except (msgspec.DecodeError, ValueError, KeyError, TypeError):
            return None

    def present(self, outside: Outside, service: str, keys: Iterable[Key]) -> dict[Key, int]:
        """The numbers that a service keeps of these."""
        wanted = _KNOWN.format(id=self.kept_id, number=self.kept_number, table=self.table)
        found = outside.rows(service, wanted, sorted({id_ for _, id_ in keys}))
        return {(tenant, id_): number for tenant, id_, number in found}


def _accounts(id_: str = "account_id") -> Effect:
    return Effect("accounts", "account_id", "version", "account", id_, "version")


EFFECTS: Final[Mapping[str, tuple[Effect, ...]]] = {
    "scoring": (
        Effect("client-evidence", "evidence_id", "revision", "evidence", "evidence_id", "revision"),
        Effect("stakeholders", "stakeholder_id", "version", "stakeholder", "stakeholder_id", "version"),
        _accounts(),
    ),
    "metrics": (_accounts(),),
    "plan": (_accounts(),),
    "stakeholder": (_accounts("id"),),
    "profile": (Effect("account-scores", "account_id", "sequence", "account_health", "account_id", "sequence"),),
}


@dataclass
class Lookout:
    """Looks at what groups committed since the last look; `checked` records, `broken` in words."""

    stack: Stack
    outside: Outside
    checked: int = 0
    broken: list[str] = field(default_factory=list)
    _seen: dict[tuple[str, str, int], int] = field(default_factory=dict)

    async def look(self) -> None:
        """Compare now; a broker or a database that is away is looked at the next time."""
        try:
            async with asyncio.timeout(20):
                # First what is committed, then what is there: what comes in between does no harm.
                done = await committed(self.stack, EFFECTS)
                async with client(
                    self.stack, sorted({e.topic for effects in EFFECTS.values() for e in effects})
                ) as asking:
                    for service, effects in EFFECTS.items():
                        for effect in effects:
                            records = await self._new(asking, service, effect.topic, done[service])
                            await asyncio.to_thread(self._compare, service, effect, records)
        except (KafkaError, OSError, TimeoutError, psycopg.Error):
            return

    async def _new(self, asking: AIOKafkaConsumer, service: str, topic: str, done: Offsets) -> list[Any]:
        """The records of a topic that a service committed since the last look."""
        left: dict[TopicPartition, int] = {}
        for (of, part), to in done.items():
            if of == topic and to > self._seen.get((service, topic, part), 0):
                left[TopicPartition(topic, part)] = to
        asking.assign(list(left))
        for place in left:
            asking.seek(place, self._seen.get((service, *place), 0))
        self._seen |= {(service, *place): to for place, to in left.items()}
        found: list[Any] = []
        while left:
            for place, batch in (await asking.getmany(timeout_ms=100, max_records=5_000)).items():
                found += [record for record in batch if record.offset < left.get(place, 0)]
            left = {place: to for place, to in left.items() if await asking.position(place) < to}
        return found

    def _compare(self, service: str, effect: Effect, records: list[Any]) -> None:
        expected: dict[Key, tuple[int, str]] = {}
        for record in records:
            said = effect.expected(record.value) if record.value else None
            if said is not None:
                key, number = said
                where = f"{record.topic}/{record.partition}/{record.offset}"
                expected[key] = max(expected.get(key, (0, "")), (number, where))
        self.checked += len(expected)
        present = effect.present(self.outside, service, expected) if expected else {}
        self.broken += [
            f"{service} committed past {where}: {key} is {present.get(key)}, not {number}"
            for key, (number, where) in expected.items()
            if present.get(key, 0) < number
        ]
