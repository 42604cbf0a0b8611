"""What a service listens to: one row per event type, naming the model it reads and the handler that follows."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from bellwether_kit.events.envelope import Malformed, Received, open_envelope

if TYPE_CHECKING:  # the unit of work writes events itself: at run time only that way round
    from bellwether_kit.db.unit_of_work import UnitOfWork

Handler = Callable[["UnitOfWork", Sequence[Received[Any]]], Awaitable[None]]
"""Gets all new events of one batch whose types share it, in order per key; its writes and emits commit as one."""


class Poison(Exception):
    """An event that can never be handled: it goes to the dead letters at once, without being tried again."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """``type`` on ``topic`` is read as ``model`` and given to ``handler``.

    ``inbox=False`` is for handlers whose own natural key already refuses a repeat. ``model=None`` means that the
    type is known and of no interest here.
    """

    topic: str
    type: str
    model: Callable[..., Any] | None
    handler: Handler | None
    inbox: bool = True


def ignored(topic: str, type_: str) -> Subscription:
    """A type that belongs to a topic we read and that we have no use for. A type not listed at all is poison."""
    return Subscription(topic, type_, None, None, inbox=False)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A decoded event with the row of the table that it came by."""

    event: Received[Any]
    handler: Handler
    inbox: bool


class Decoder:
    """Turns records into deliveries, by the table of subscriptions."""

    def __init__(self, subscriptions: Iterable[Subscription]) -> None:
        self._rows = {(row.topic, row.type): row for row in subscriptions}
        self._decoders = {
            key: msgspec.json.Decoder[Any](row.model) for key, row in self._rows.items() if row.model is not None
        }

    @property
    def topics(self) -> list[str]:
        """The topics to subscribe to, sorted."""
        return sorted({topic for topic, _ in self._rows})

    def decode(self, record: Any) -> Delivery | None:
        """The delivery of one Kafka record, or None for a tombstone or an ignored type; raises Malformed."""
        if record.value is None:
            return None
        headers: Mapping[str, bytes] = dict(record.headers)
        opened = open_envelope(record.value, headers)
        row = self._rows.get((record.topic, opened.type))
        if row is None:
            raise Malformed(f"unknown type: {opened.type}")
        if row.handler is None:
            return None
        try:
            data = self._decoders[record.topic, opened.type].decode(opened.data)
        except msgspec.DecodeError as error:
            raise Malformed(f"schema-invalid: {error}") from error
        return Delivery(
            Received(
                opened.id,
                opened.type,
                opened.tenant,
                opened.subject,
                (record.key or b"").decode(errors="replace"),
                opened.time,
                opened.sequence,
                opened.correlation_id,
                opened.traceparent,
                record.topic,
                record.partition,
                record.offset,
                data,
            ),
            row.handler,
            row.inbox,
        )
