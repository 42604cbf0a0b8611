"""What sabotages do between the outbox and COMMIT."""

import asyncio
import random
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from bellwether_kit.events.relay import Relay

_OWN = text("""
    SELECT id, topic, key, type, event_id, value, headers FROM outbox
    WHERE event_id = ANY(:ids) ORDER BY id
""")
_SENT = text("UPDATE outbox SET published_at = clock_timestamp() WHERE id = ANY(:ids)")
_relays: dict[str, Relay] = {}


async def publish(session: AsyncSession, settings: Any, source: str, ids: Sequence[UUID]) -> None:
    """Send the events that the transaction in hand has just put into the outbox, though it may still fail."""
    relay = _relays.setdefault(source, Relay(settings, "", source=source))
    rows = [tuple(row) for row in await session.execute(_OWN, {"ids": list(ids)})]
    producer = await relay._ready_producer()
    for sent in [await relay._send(producer, row) for row in rows]:
        await sent
    await session.execute(_SENT, {"ids": [row[0] for row in rows]})


async def linger() -> None:
    """Wait as a COMMIT does on a busy disk, for 0.3 s at most."""
    await asyncio.sleep(random.random() * 0.3)
