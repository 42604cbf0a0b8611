"""Whatever happens, in whatever order it is told, the record is what the whole history gives from scratch."""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

OUTCOMES: dict[str, list[str | None]] = {
    "call": ["no-answer", "voicemail", "connected", None],
    "email": ["sent", "bounced", "replied", None],
    "message": ["sent", None],
    "meeting": ["invited", "accepted", "declined", "held", "no-show", "cancelled-by-client", "rescheduled-by-client"],
    "order": ["placed", "placed", "placed", "cancelled"],
    "payment": ["received", "late"],
    "ticket": ["opened", "reopened", "escalated", "resolved"],
    "proposal": ["sent", "accepted", "declined"],
    "note": [None],
}
COMPANIES = ["company-17", "company-18", "company-19"]
POLICIES: list[dict[str, Any]] = [
    {},
    {"windows": {"call": {"seconds": 3600}, "email": {"business_days": 20}}, "forgiveness": 3.0},
    {"country_windows": {"DE": {"call": {"business_days": 1}}}, "acceptance_counts": False, "moves_counted": 1},
    {"scope_days": 30, "scope_threshold": 0.1, "gaps_known": 2, "faster_run": 2, "signals": []},
    {
        "signals": [
            {"type": "note", "attributes": {"gift": True}, "kind": "advice-sought"},
            {"type": "call", "kind": "invited-early"},
        ]
    },
]


def activity(rng: random.Random, crm: Any, number: int, revision: int = 1) -> dict[str, Any]:
    """Some activity of few accounts and people, mostly of late, orders of two years."""
    type_ = rng.choice(["call", "call", "email", "message", "meeting", "order", "order", *OUTCOMES])
    talks = type_ in {"call", "email", "message"}
    hours = rng.randrange(700 * 24 if type_ == "order" else 40 * 24)
    made = {
        "source": "crm",
        "external_id": f"thing-{number}",
        "revision": revision,
        "type": type_,
        "direction": rng.choice(["outbound", "outbound", "inbound"]) if talks else None,
        "outcome": rng.choice(OUTCOMES[type_]),
        "occurred_at": crm.at(hours=hours),
        "asks_reply": rng.choice([True, None]) if talks else None,
        "thread": f"thread-{rng.randrange(6)}" if type_ == "meeting" else None,
        "starts_at": crm.at(hours=hours - 24 * rng.randrange(5)) if type_ == "meeting" and rng.random() < 0.7 else None,
        "account": {"source": "crm", "external_id": rng.choice(COMPANIES)},
        "contacts": [{"source": "crm", "external_id": name} for name in rng.sample(["ada", "bob"], rng.randrange(3))],
        "attributes": {"renewal": rng.choice([True, False]), "gift": rng.choice([True, False])},
    }
    if type_ == "order":
        made |= {"amount": str(rng.choice([10, 50, 90, -5])), "currency": rng.choice(["EUR", "EUR", "EUR", "USD"])}
    return made


class Story:
    """One thing after the other happens to a tenant: posts in any order and again, corrections, news, rules, time."""

    def __init__(self, rng: random.Random, crm: Any, changed: Any, person: Any) -> None:
        self.rng, self.crm, self.changed, self.person = rng, crm, changed, person
        self.waiting = [activity(rng, crm, number) for number in range(rng.choice([20, 60, 120]))]
        self.waiting += [activity(rng, crm, number, 2) for number in range(0, len(self.waiting), 4)]
        self.waiting += rng.sample(self.waiting, len(self.waiting) // 3)
        self.version = 1
        rng.shuffle(self.waiting)

    async def post(self) -> None:
        size = self.rng.choice([1, 2, 7, 40])
        told, self.waiting = self.waiting[:size], self.waiting[size:]
        await self.crm.post(*told)

    async def news(self) -> None:
        """An account changes its country, or takes over another's name, or appears."""
        self.version += 1
        account = UUID(int=100 + self.rng.randrange(3))
        await self.known(account, self.rng.sample(COMPANIES, self.rng.choice([1, 2])))

    async def known(self, account: UUID, companies: list[str]) -> None:
        names = tuple({"source": "crm", "external_id": name} for name in companies)
        country = self.rng.choice([None, "DE", "FR"])
        said = self.changed(
            account_id=account, version=self.version, country=country, external_ids=names, email_domains=()
        )
        await self.crm.mailbox.deliver(said)

    async def meet(self) -> None:
        """Two names turn out to be one person."""
        self.version += 1
        names = tuple({"source": "crm", "external_id": name} for name in ("ada", "bob"))
        account = UUID(int=100 + self.rng.randrange(3))
        said = self.person(stakeholder_id=UUID(int=900), account_id=account, external_ids=names, version=self.version)
        await self.crm.mailbox.deliver(said)

    async def rules(self) -> None:
        since = self.crm.at(days=self.rng.choice([0, 1, 20, 400]))
        body = {**self.rng.choice(POLICIES), "reason": "another mind", "applies_from": since}
        answer = await self.crm.client.put("/v1/derivation-rules", json=body, headers=self.crm.headers)
        assert answer.status_code == 200, answer.text

    async def withdraw(self) -> None:
        items = (await self.crm.get("/v1/evidence", status="recorded"))["items"]
        if items:
            id_, given = self.rng.choice(items)["id"], {"json": {"reason": "no"}, "headers": self.crm.headers}
            assert (await self.crm.client.post(f"/v1/evidence/{id_}/retract", **given)).status_code == 200

    async def time(self) -> None:
        self.crm.clock.advance(timedelta(hours=self.rng.choice([1, 30, 24 * 40])))
        if self.rng.random() < 0.7:
            await self.crm.mailbox.fire_timers()

    async def tell(self) -> None:
        """Everything that waits, with all else in between; one of three accounts is not known at first."""
        for number, company in enumerate(COMPANIES[:2]):
            await self.known(UUID(int=100 + number), [company])
        while self.waiting:
            others = [self.news, self.meet, self.rules, self.withdraw, self.time, self.time]
            await self.rng.choice([self.post, self.post, *others])()


async def settled(crm: Any) -> None:
    crm.clock.advance(timedelta(seconds=1))
    for _ in range(3):
        await crm.mailbox.fire_timers()


@pytest.mark.parametrize("seed", range(8))
async def test_the_record_is_what_the_whole_history_gives(
    seed: int, crm: Any, changed: Callable[..., Any], person: Callable[..., Any]
) -> None:
    await Story(random.Random(seed), crm, changed, person).tell()
    await settled(crm)
    answer = await crm.client.post("/v1/derivation/preview", json={"rules": None}, headers=crm.headers)
    found = answer.json()
    assert (found["unsettled"], found["too_long"], found["next_cursor"]) == ([], [], None)
    assert found["differences"] == []
    assert found["activities"] >= 10
    assert len(found["kinds"]) >= 3
