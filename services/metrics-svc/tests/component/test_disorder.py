"""A day in any order, everything up to three times, over four connections, with corrections: the same evidence.

The same tenant lives in two databases, so that every id is compared too. Only when a piece was recorded, and in
which revision, may differ: that is what the disorder was.
"""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import unified_diff
from typing import Any
from uuid import UUID

import httpx
import pytest

from bellwether_kit.clock import FixedClock
from bellwether_kit.db import Database
from bellwether_kit.ids import opaque_id
from bellwether_kit.testing.databases import address, copy_of
from bellwether_kit.testing.service import START, Mailbox, ServiceUnderTest

Body = dict[str, Any]
Said = tuple[str, Body]
"""The route something is posted to, and what is posted."""

CONNECTIONS = 4
COMPANIES = 4
ACCOUNTS = [UUID(int=(1 << 64) + number) for number in range(COMPANIES)]
STRANGER = UUID(int=(1 << 64) + 99)
"""An account that has another's external id for a while."""
OBSERVED = ["advice-sought", "introduction-solicited", "invited-late", "inside-information-shared", "not-invited"]
OUTCOMES = {
    "call": ["no-answer", "voicemail", "busy", "connected"],
    "email": ["sent", "sent", "delivered", "bounced", "replied"],
    "message": ["sent", "sent", "delivered", "replied"],
    "ticket": ["opened", "escalated", "resolved"],
    "survey": ["sent", "answered"],
    "proposal": ["sent", "accepted", "declined"],
    "note": [None],
}
MEETING = ["accepted", "tentative", "declined", "held", "no-show", "cancelled-by-client", "cancelled-by-us"]


@dataclass(frozen=True)
class World:
    """One database with an API and a worker on it, at a time of its own."""

    clients: Sequence[httpx.AsyncClient]
    mailbox: Mailbox
    clock: FixedClock

    async def say(self, told: Iterable[Said]) -> list[str]:
        """Post one after the other; gives the statuses."""
        return [status for said in told for status in await self._post(self.clients[0], [said])]

    async def say_at_once(self, told: Sequence[Said], chance: random.Random) -> list[str]:
        """Post in requests of any size over all connections at the same time; gives the statuses."""
        requests, rest = [], list(told)
        while rest:
            size = chance.choice([1, 1, 2, 5, 20])
            requests.append(rest[:size])
            rest = rest[size:]
        waiting, statuses = iter(requests), []

        async def connection(client: httpx.AsyncClient) -> None:
            for request in waiting:
                statuses.extend(await self._post(client, request))

        await asyncio.gather(*(connection(client) for client in self.clients))
        return statuses

    async def _post(self, client: httpx.AsyncClient, told: Sequence[Said]) -> list[str]:
        statuses = []
        for route in dict.fromkeys(route for route, _ in told):
            items = [body for each, body in told if each == route]
            answer = await client.post(f"/v1/{route}", json={"items": items})
            assert answer.status_code == 200, answer.text
            statuses += [item["status"] for item in answer.json()["items"]]
        assert "rejected" not in statuses
        return statuses

    async def pass_time(self, **span: float) -> None:
        self.clock.advance(timedelta(**span))
        await self.mailbox.fire_timers()

    async def picture(self) -> str:
        """All evidence that stands and what is said of each account, as canonical JSON, a value a line."""
        read = {"evidence": await self._every("evidence", status="recorded")}
        for piece in read["evidence"]:
            del piece["recorded_at"], piece["revision"]
        for account in ACCOUNTS:
            for figure in ("touch", "evidence-metrics"):
                read[f"{account} {figure}"] = await self._get(f"accounts/{account}/{figure}")
        return json.dumps(read, sort_keys=True, indent=1)

    async def _every(self, route: str, **query: Any) -> list[Body]:
        items: list[Body] = []
        page: Body = {"next_cursor": ""}
        while page["next_cursor"] is not None:
            page = await self._get(route, **query, limit=200, **({"cursor": page["next_cursor"]} if items else {}))
            items += page["items"]
        return sorted(items, key=lambda item: str(item["id"]))

    async def _get(self, route: str, **query: Any) -> Body:
        answer = await self.clients[0].get(f"/v1/{route}", params=query)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


@pytest.fixture
async def worlds(
    postgres: str,
    database_name: str,
    service: ServiceUnderTest,
    settings_as: Callable[..., Any],
    auth: Callable[..., dict[str, str]],
) -> AsyncIterator[list[World]]:
    """Two worlds of the same tenant, knowing nothing of each other."""
    async with AsyncExitStack() as opened:
        twin = opened.enter_context(copy_of(postgres, database_name))
        made = []
        for name in (database_name, twin):
            clock = FixedClock(START)
            settings = {
                role: settings_as(role, database_url=address(postgres, role=f"{service.name}_{role}", database=name))
                for role in ("api", "worker")
            }
            database = Database(settings["worker"], source=f"/{service.name}-svc", clock=clock)
            await database.open()
            opened.push_async_callback(database.close)
            app = service.create_app(settings["api"], clock=clock)
            await opened.enter_async_context(app.router.lifespan_context(app))
            to_it: dict[str, Any] = {
                "transport": httpx.ASGITransport(app=app, raise_app_exceptions=False),
                "base_url": "http://test",
                "headers": auth("evidence:ingest evidence:read evidence:write"),
            }
            clients = [await opened.enter_async_context(httpx.AsyncClient(**to_it)) for _ in range(CONNECTIONS)]
            mailbox = Mailbox(service, database, postgres.rpartition("/")[0] + f"/{name}", clock)
            made.append(World(clients, mailbox, clock))
        yield made


def a_day(chance: random.Random, now: datetime) -> list[Said]:
    """What a busy day of four accounts brings, in order of time; some of it was booked late."""
    told: list[Said] = []
    for number in range(90):
        type_ = chance.choice([*OUTCOMES, "call", "email", "call", "message"])
        at = now - timedelta(minutes=chance.randrange(24 * 60))
        body = activity(chance, f"{type_}-{number}", type_, chance.choice(OUTCOMES[type_]), at)
        if type_ in {"call", "email", "message"}:
            body |= {"direction": chance.choice(["outbound", "outbound", "inbound"])}
            body |= chance.choice([{}, {"asks_reply": True}, {"asks_reply": False}])
        told.append(("activities", body))
    for number in range(12):
        told += [("activities", answer) for answer in a_meeting(chance, number, now)]
    for number in range(60):
        at = now - timedelta(days=chance.choice([0, 10, 20, 30, 40, 44, 48, 52, 90, 100]), hours=chance.randrange(20))
        outcome, amount = chance.choice([("placed", "250.00"), ("placed", "80.50"), ("cancelled", "-80.50")])
        body = activity(chance, f"order-{number}", "order", outcome, at) | {"amount": amount, "currency": "EUR"}
        told.append(("activities", body))
    for number in range(10):
        at = now - timedelta(hours=chance.randrange(24))
        seen = activity(chance, f"seen-{number}", "", None, at)
        seen |= {"kind": chance.choice(OBSERVED), "observed_at": seen["occurred_at"], "magnitude": 1.5}
        told.append(("evidence", {key: seen[key] for key in seen.keys() - {"type", "outcome", "occurred_at"}}))
    return sorted(told, key=lambda said: str(said[1].get("occurred_at", said[1].get("observed_at"))))


def activity(chance: random.Random, external_id: str, type_: str, outcome: str | None, at: datetime) -> Body:
    """Something that happened with one of the accounts, as a CRM posts it."""
    company = chance.randrange(COMPANIES)
    people = chance.sample(["a", "b", "b-phone"], chance.choice([0, 1, 1, 2]))
    return {
        "source": "crm",
        "external_id": external_id,
        "revision": 5,
        "type": type_,
        "outcome": outcome,
        "occurred_at": at.isoformat(),
        "account": chance.choice([named(company), named(company), {"domain": f"company-{company}.example"}]),
        "contacts": [{"source": "crm", "external_id": f"{company}-{who}"} for who in people],
        "owner": {"email": f"user-{chance.randrange(3)}@example.com"},
    }


def named(company: int) -> Body:
    """A company by its id in the CRM."""
    return {"source": "crm", "external_id": f"company-{company}"}


def a_meeting(chance: random.Random, number: int, now: datetime) -> list[Body]:
    """An invitation, what was answered, and perhaps moves: activities of one thread, within the day."""
    starts = now + timedelta(days=chance.choice([-1, 1, 2, 5]), hours=chance.randrange(5))
    invited = now - timedelta(days=1, hours=2)
    first = activity(chance, f"meeting-{number}", "meeting", "invited", invited)
    told = [first | {"thread": f"meeting-{number}", "starts_at": starts.isoformat()}]
    for step in range(chance.randrange(4)):
        outcome = chance.choice([*MEETING, "rescheduled-by-client", "rescheduled-by-client", "rescheduled-by-us"])
        if outcome.startswith("rescheduled"):
            starts += timedelta(days=1)
        at = invited + timedelta(minutes=1 + step * 60 + chance.randrange(50))
        said = {"external_id": f"meeting-{number}-{step}", "outcome": outcome, "occurred_at": at.isoformat()}
        told.append(told[0] | said | {"starts_at": starts.isoformat()})
    return told


def disordered(chance: random.Random, day: Sequence[Said]) -> list[Said]:
    """The day in any order, each up to three times, two of five told wrongly before; what is wrong may come late."""
    told: list[Said] = []
    for route, body in day:
        told += [(route, body)] * chance.choice([1, 1, 2, 3])
        if chance.random() < 0.4:
            told += [(route, mistaken(chance, body))] * chance.choice([1, 2])
    chance.shuffle(told)
    return told


def mistaken(chance: random.Random, body: Body) -> Body:
    """An earlier revision of the same, wrong in the time, the account, the people or the outcome."""
    moment = "occurred_at" if "occurred_at" in body else "observed_at"
    earlier = datetime.fromisoformat(body[moment]) - timedelta(days=chance.randrange(1, 20), hours=3)
    wrong = {
        "time": {moment: earlier.isoformat()},
        "account": {"account": named(chance.randrange(COMPANIES + 1))},
        "people": {"contacts": [{"source": "crm", "external_id": f"{chance.randrange(COMPANIES)}-a"}]},
        "outcome": {"outcome": None} if "type" in body else {"magnitude": 4.0},
    }
    return body | wrong[chance.choice(list(wrong))] | {"revision": chance.randrange(5)}


def news(changed: Any, company: int, **more: Any) -> Any:
    """What profile-svc says of a company's account."""
    facts = {"account_id": ACCOUNTS[company], "external_ids": (named(company),), "country": "DE"}
    return changed(**facts | {"email_domains": (f"company-{company}.example",)} | more)


def people(person: Any) -> list[Any]:
    """Who has two external ids, as stakeholder-svc says it: b and b's telephone are one person."""
    return [
        person(
            stakeholder_id=opaque_id("acme", "contact", "crm", f"{company}-b"),
            account_id=account,
            external_ids=tuple({"source": "crm", "external_id": f"{company}-{who}"} for who in ("b", "b-phone")),
        )
        for company, account in enumerate(ACCOUNTS)
    ]


@pytest.mark.parametrize("seed", range(3))
async def test_a_day_in_any_order_over_four_connections_gives_the_same_evidence_to_the_byte(
    worlds: list[World], changed: Any, person: Any, seed: int
) -> None:
    tidy, wild = worlds
    chance = random.Random(seed)
    day = a_day(chance, START)

    await tidy.mailbox.deliver(*(news(changed, company) for company in range(COMPANIES)))
    await tidy.mailbox.deliver(*people(person))
    assert set(await tidy.say(day)) == {"accepted"}
    for _ in range(5):
        await tidy.pass_time(days=3)

    chaos = disordered(chance, day)
    third = len(chaos) // 3
    await wild.mailbox.deliver(
        news(changed, 0), changed(account_id=STRANGER, external_ids=(named(1),), email_domains=())
    )
    statuses = await wild.say_at_once(chaos[:third], chance)
    given_up = news(changed, 1, account_id=STRANGER, version=2, external_ids=(), email_domains=())
    await wild.mailbox.deliver(given_up, news(changed, 2), news(changed, 1))
    statuses += await wild.say_at_once(chaos[third : 2 * third], chance)
    for _ in range(4):
        await wild.pass_time(days=3)
    statuses += await wild.say_at_once(chaos[2 * third :], chance)
    await wild.mailbox.deliver(*people(person), news(changed, 3), times=2)
    await wild.pass_time(days=3)

    assert {"accepted", "duplicate", "corrected", "stale", "unmatched"} == set(statuses)
    was, became = await tidy.picture(), await wild.picture()
    assert not list(unified_diff(was.splitlines(), became.splitlines(), "tidy", "wild", n=12))
    kinds = {piece["kind"] for piece in json.loads(was)["evidence"]}
    assert len(kinds) >= 12, kinds


async def test_one_activity_less_is_seen(worlds: list[World], changed: Any) -> None:
    whole, short = worlds
    day = a_day(random.Random(9), START)
    order = next(said for said in day if said[1].get("outcome") == "placed")
    for world, told in ((whole, day), (short, [said for said in day if said is not order])):
        await world.mailbox.deliver(*(news(changed, company) for company in range(COMPANIES)))
        await world.say_at_once(told, random.Random(1))

    assert await short.picture() != await whole.picture()
