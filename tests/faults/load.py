"""What a fault run sends: activities of many accounts, a part of them twice, corrected, or taken back. Seeded."""

import asyncio
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Final

import httpx

from faults.journal import OK, REFUSED, UNKNOWN, Journal

TENANTS: Final = ("acme", "globex")
CANARY: Final = "canary"
ACCOUNTS: Final = 40
CONTACTS: Final = 3
CONNECTIONS: Final = 6
LARGEST: Final = 20
"""Activities in one post, at most."""
AGAIN: Final = 0.2
CORRECTED: Final = 0.08
TAKEN_BACK: Final = 0.04
PATIENCE: Final = 6.0

Body = dict[str, Any]


@dataclass(frozen=True)
class Item:
    """One revision of one activity."""

    external_id: str
    revision: int
    body: Body


@dataclass
class Script:
    """A seeded stream of posts. `began` is the moment from which activities count back."""

    seed: int
    events: int
    began: datetime = field(default_factory=lambda: datetime.now(UTC))

    def posts(self) -> Iterator[tuple[str, list[Item]]]:
        """Posts in order, until as many activities were said as there are to be; the canary says one in fifty posts."""
        rng = random.Random(self.seed)
        said: dict[str, list[Item]] = {tenant: [] for tenant in (*TENANTS, CANARY)}
        left = self.events
        for turn in count():
            if left <= 0:
                return
            tenant = CANARY if turn % 50 == 10 else rng.choice(TENANTS)
            items = [self._next(rng, tenant, said[tenant]) for _ in range(min(left, rng.randint(1, LARGEST)))]
            left -= len(items)
            # Of one activity a post says one revision only: which of two counts would depend on nothing.
            yield tenant, list({item.external_id: item for item in items}.values())
            if rng.random() < AGAIN:
                yield tenant, items[: rng.randint(1, len(items))]

    def _next(self, rng: random.Random, tenant: str, said: list[Item]) -> Item:
        chance = rng.random()
        if said and chance < CORRECTED + TAKEN_BACK:
            place = rng.randrange(len(said))
            known = said[place]
            said[place] = Item(known.external_id, known.revision + 1, self._changed(known, chance < TAKEN_BACK))
            return said[place]
        external_id = f"{tenant}-{len(said)}"
        said.append(Item(external_id, 1, self._happening(rng, external_id)))
        return said[-1]

    def _happening(self, rng: random.Random, external_id: str) -> Body:
        at = self.began - timedelta(seconds=rng.randrange(3_600, 20 * 86_400))
        type_, outcome, direction = rng.choice(
            (
                ("meeting", "held", None),
                ("meeting", "declined", None),
                ("call", "no-answer", "outbound"),
                ("call", "connected", "inbound"),
                ("email", "sent", "outbound"),
                ("email", "delivered", "inbound"),
            )
        )
        return {
            "source": "crm",
            "external_id": external_id,
            "type": type_,
            "outcome": outcome,
            "direction": direction,
            "occurred_at": at.isoformat(),
            "asks_reply": True if (type_, direction) == ("email", "outbound") else None,
            "account": {"source": "crm", "external_id": f"company-{rng.randrange(ACCOUNTS)}"},
            "contacts": [{"source": "crm", "external_id": f"contact-{rng.randrange(CONTACTS)}"}],
        }

    @staticmethod
    def _changed(known: Item, taken_back: bool) -> Body:
        """The next revision: it was another moment, or it never came about."""
        at = datetime.fromisoformat(known.body["occurred_at"]) - timedelta(minutes=7)
        body = known.body | {"occurred_at": at.isoformat()}
        if taken_back and known.body["type"] == "meeting":
            body["outcome"] = "cancelled-by-us"
        return body


@dataclass
class Load:
    """Clients that post a script over a few connections; what is refused is tried again, what is unknown half the time.

    `done` is the number of posts that ended, `taken` that of activities that were taken.
    """

    url: str
    tokens: dict[str, str]
    journal: Journal
    script: Script
    pace: float = 0.0
    done: int = 0
    taken: int = 0

    async def run(self) -> None:
        """Post everything."""
        posts, numbers = self.script.posts(), count(1)
        rng = random.Random(self.script.seed + 1)
        limits = httpx.Limits(max_connections=CONNECTIONS * 2)
        async with httpx.AsyncClient(timeout=PATIENCE, limits=limits) as client:

            async def connection() -> None:
                for tenant, items in posts:
                    await self._until_taken(client, numbers, rng, tenant, items)
                    await asyncio.sleep(self.pace)

            async with asyncio.TaskGroup() as group:
                for _ in range(CONNECTIONS):
                    group.create_task(connection())

    async def _until_taken(
        self, client: httpx.AsyncClient, numbers: Iterator[int], rng: random.Random, tenant: str, items: Sequence[Item]
    ) -> None:
        while True:
            outcome = await self._post(client, next(numbers), tenant, items)
            self.done += 1
            if outcome == OK:
                self.taken += len(items)
                return
            if outcome == UNKNOWN and rng.random() < 0.5:
                return
            await asyncio.sleep(0.3)

    async def _post(self, client: httpx.AsyncClient, number: int, tenant: str, items: Sequence[Item]) -> str:
        self.journal.sending(number, tenant, [(item.external_id, item.revision) for item in items])
        try:
            answer = await client.post(
                f"{self.url}/v1/activities",
                json={"items": [item.body | {"revision": item.revision} for item in items]},
                headers={"Authorization": f"Bearer {self.tokens[tenant]}"},
            )
        except httpx.HTTPError as error:
            self.journal.answered(number, UNKNOWN, type(error).__name__)
            return UNKNOWN
        if answer.is_success:
            statuses = [result["status"] for result in answer.json()["items"]]
            if "rejected" in statuses:
                raise RuntimeError(f"the load says what is refused: {answer.text}")
            self.journal.answered(number, OK, answer.status_code)
            return OK
        # A 500 says nothing about what was written; 503 and 429 say that nothing was.
        known = answer.status_code < 500 or (answer.status_code == 503 and "retry-after" in answer.headers)
        outcome = REFUSED if known else UNKNOWN
        self.journal.answered(number, outcome, answer.status_code)
        return outcome
