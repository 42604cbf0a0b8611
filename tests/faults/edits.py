"""What a fault run changes in the other services: accounts in profile-svc, people in stakeholder-svc. Seeded."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

import httpx

from bellwether.stack.health import plain
from faults.journal import OK, Journal
from faults.load import PATIENCE, TENANTS, posted

PAUSE: Final = 0.25
LARGEST: Final = 5
"""Changes in one post, at most."""
ROUTES: Final = {"account": ("profile", "accounts"), "person": ("stakeholder", "stakeholders")}
ROLES: Final = ("economic", "technical", "user", "purchaser")


@dataclass
class Edits:
    """One client that says again and again what an account or a person is now, until the load is over.

    Each change of a thing has a number, and a name that tells it; what was not taken is said again until it is.
    """

    url: Callable[[str], str]
    tokens: dict[str, str]
    journal: Journal
    seed: int
    accounts: int
    transport: Callable[[], httpx.AsyncBaseTransport | None] = lambda: None
    done: int = 0
    _said: Counter[tuple[str, str]] = field(default_factory=Counter)

    async def run(self, busy: Callable[[], bool]) -> None:
        """Change one thing after another while `busy` says so."""
        rng, numbers = random.Random(self.seed + 2), count(1)
        async with httpx.AsyncClient(transport=self.transport(), timeout=PATIENCE, verify=plain()) as client:
            while busy():
                what, tenant = rng.choice(sorted(ROUTES)), rng.choice(TENANTS)
                said = self._next(rng, what, tenant)
                service, route = ROUTES[what]
                where = f"{self.url(service)}/v1/{route}"
                bodies = [BODIES[what](tenant, int(name.split()[1]), number) for name, number in said]
                owner = tenant, self.tokens[tenant]
                for number in numbers:
                    outcome, _ = await posted(client, self.journal, number, owner, said, where, bodies)
                    if outcome == OK:
                        break
                    await asyncio.sleep(0.3)
                self.done += 1
                await asyncio.sleep(PAUSE)

    def _next(self, rng: random.Random, what: str, tenant: str) -> list[tuple[str, int]]:
        names = [f"{what} {n}" for n in rng.sample(range(self.accounts), rng.randint(1, LARGEST))]
        self._said.update((tenant, name) for name in names)
        return [(name, self._said[tenant, name]) for name in names]


def account(tenant: str, n: int, number: int) -> dict[str, Any]:
    """The n-th account of a tenant, changed for the so-manyth time."""
    name = {"source": "crm", "external_id": f"company-{n}"}
    return {"external_ids": [name], "name": f"{tenant} {n} v{number}", "tier": "ABC"[(n + number) % 3]}


def person(_tenant: str, n: int, number: int) -> dict[str, Any]:
    """A person at the n-th account, who comes in with the first change."""
    return {
        "external_ids": [{"source": "crm", "external_id": f"person-{n}"}],
        "account": {"source": "crm", "external_id": f"company-{n}"},
        "name": f"Person {n} v{number}",
        "sentiment": ("supporter", "neutral")[number % 2],
        "decision_roles": [ROLES[(n + number) % 4], ROLES[(n + number // 2) % 4]],
    }


BODIES: Final = {"account": account, "person": person}
