"""What a fault run sends: activities of many accounts, a part of them twice, corrected, or taken back. Seeded."""

import asyncio
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Final

import httpx

from bellwether.stack.health import plain
from faults.journal import OK, REFUSED, UNKNOWN, Journal

TENANTS: Final = ("acme", "globex")
CANARY: Final = "canary"
ACCOUNTS: Final = 40
"""Accounts of a tenant, at least."""
CROWD: Final = 125
"""Activities for which there is one account."""
CONTACTS: Final = 3
CONNECTIONS: Final = 6
LARGEST: Final = 20
"""Activities in one post, at most."""
AGAIN: Final = 0.2
CORRECTED: Final = 0.08
TAKEN_BACK: Final = 0.04
PATIENCE: Final = 6.0
TAKEN_BACK_AS: Final[dict[str, dict[str, Any]]] = {
    "meeting": {"outcome": "cancelled-by-us"},
    "call": {"outcome": "connected", "direction": "outbound"},
    "email": {"outcome": "sent", "direction": "outbound", "asks_reply": None},
}
"""What is no evidence: we called it off, we reached them, we wrote without a question."""

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

    @property
    def accounts(self) -> int:
        """How many accounts a tenant has."""
        return max(ACCOUNTS, self.events // CROWD)

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
            "account": {"source": "crm", "external_id": f"company-{rng.randrange(self.accounts)}"},
            "contacts": [{"source": "crm", "external_id": f"contact-{rng.randrange(CONTACTS)}"}],
        }

    @staticmethod
    def _changed(known: Item, taken_back: bool) -> Body:
        """The next revision: it was another moment, or what it was evidence of never came about."""
        at = datetime.fromisoformat(known.body["occurred_at"]) - timedelta(minutes=7)
        body = known.body | {"occurred_at": at.isoformat()}
        return body | TAKEN_BACK_AS[body["type"]] if taken_back else body


@dataclass
class Load:
    """Clients that post a script over a few connections; what is refused is tried again, what is unknown half the time.

    `allowed` gives the share of all posts that may have begun by now: one that is over is not disturbed.
    `done` is the number of posts that ended, `taken` that of activities that were taken.
    """

    url: str
    tokens: dict[str, str]
    journal: Journal
    script: Script
    allowed: Callable[[], float] = lambda: 1.0
    transport: Callable[[], httpx.AsyncBaseTransport | None] = lambda: None
    """What clients send by, where it is not straight to `url`."""
    done: int = 0
    taken: int = 0
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    async def run(self) -> None:
        """Post everything."""
        posts = self.script.posts()
        total, begun = len(list(self.script.posts())), 0
        rng = random.Random(self.script.seed + 1)
        limits = httpx.Limits(max_connections=CONNECTIONS * 2)
        async with httpx.AsyncClient(
            transport=self.transport(), timeout=PATIENCE, limits=limits, verify=plain()
        ) as client:

            async def connection() -> None:
                nonlocal begun
                for tenant, items in posts:
                    begun += 1
                    while begun > total * self.allowed():  # noqa: ASYNC110 - time allows more, no event does
                        await asyncio.sleep(0.05)
                    await self._until_taken(client, rng, tenant, items)

            async with asyncio.TaskGroup() as group:
                for _ in range(CONNECTIONS):
                    group.create_task(connection())

    async def beacon(self) -> str:
        """Have one more meeting held, of an account of the canary, however often it takes; gives the activity's id."""
        number = next(self._numbers)
        at = self.script.began - timedelta(hours=2)
        body: Body = {"source": "crm", "external_id": f"beacon-{number}", "type": "meeting", "outcome": "held"}
        body |= {"occurred_at": at.isoformat(), "account": {"source": "crm", "external_id": "company-0"}}
        async with httpx.AsyncClient(timeout=2, verify=plain()) as client:
            while True:
                outcome, results = await self._post(client, CANARY, [Item(body["external_id"], 1, body)])
                if outcome == OK:
                    return str(results[0]["id"])
                await asyncio.sleep(0.2)

    async def _until_taken(
        self, client: httpx.AsyncClient, rng: random.Random, tenant: str, items: Sequence[Item]
    ) -> None:
        while True:
            outcome, _ = await self._post(client, tenant, items)
            self.done += 1
            if outcome == OK:
                self.taken += len(items)
                return
            if outcome == UNKNOWN and rng.random() < 0.5:
                return
            await asyncio.sleep(0.3)

    async def _post(
        self, client: httpx.AsyncClient, tenant: str, items: Sequence[Item]
    ) -> tuple[str, list[dict[str, Any]]]:
        said = [(item.external_id, item.revision) for item in items]
        bodies = [item.body | {"revision": item.revision} for item in items]
        route, number = f"{self.url}/v1/activities", next(self._numbers)
        return await posted(client, self.journal, number, (tenant, self.tokens[tenant]), said, route, bodies)


async def posted(
    client: httpx.AsyncClient,
    journal: Journal,
    number: int,
    tenant: tuple[str, str],
    said: Sequence[tuple[str, int]],
    route: str,
    bodies: Sequence[Body],
) -> tuple[str, list[dict[str, Any]]]:
    """Post items for a tenant, given with a token, and write down what is said and what comes of it.

    Gives the outcome and the result of each item.
    """
    journal.sending(number, tenant[0], said)
    try:
        answer = await client.post(route, json={"items": bodies}, headers={"Authorization": f"Bearer {tenant[1]}"})
    except httpx.HTTPError as error:
        journal.answered(number, UNKNOWN, type(error).__name__)
        return UNKNOWN, []
    if answer.is_success:
        results = answer.json()["items"]
        if any(result["status"] == "rejected" for result in results):
            raise RuntimeError(f"the load says what is refused: {answer.text}")
        journal.answered(number, OK, answer.status_code)
        return OK, results
    # A 500 says nothing about what was written; 503 and 429 say that nothing was.
    known = answer.status_code < 500 or (answer.status_code == 503 and "retry-after" in answer.headers)
    outcome = REFUSED if known else UNKNOWN
    journal.answered(number, outcome, answer.status_code)
    return outcome, []
