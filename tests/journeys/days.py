"""Two busy months with two clients, and how a CRM in disorder tells them. Nothing is posted here."""

import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from stories import activity, call, meeting
from tenants import Body

Said = tuple[str, Body]
"""The route something is posted to, and what is posted."""
Request = tuple[str, list[Body]]

COMPANIES = ("company-1", "company-2")
DAY = timedelta(days=1)


def busy_months(at: datetime) -> list[Said]:
    """Everything that evidence is derived from, in order of time, the latest at `at`."""
    start = at - 60 * DAY
    told = [*conversations(start), *meetings(start), *business(start)]
    told += [body | {"account": company(2), "external_id": f"{body['external_id']}-other"} for body in told[::3]]
    seen = [
        observation(f"seen-{n}", start + 9 * n * DAY, kind) for n, kind in enumerate(("advice-sought", "not-invited"))
    ]
    return sorted(
        [("activities", body) for body in told] + [("evidence", body) for body in seen],
        key=lambda said: str(said[1].get("occurred_at", said[1].get("observed_at"))),
    )


def company(number: int) -> Body:
    """One of the two clients, as the CRM names it."""
    return {"source": "crm", "external_id": COMPANIES[number - 1]}


def conversations(start: datetime) -> list[Body]:
    """Calls and e-mails that ask for a reply, chases, replies in time and late, and what the client says unasked."""
    told = [call(f"call-{n}", start + n * 5 * DAY, "no-answer", 1 + n % 3) for n in range(8)]
    told += [call(f"call-{n}-chase", start + n * 5 * DAY + DAY / 8, "voicemail", 1 + n % 3) for n in (1, 4)]
    told += [call(f"back-{n}", start + (9 * n + 4) * DAY, "connected", 1 + n % 3, "inbound") for n in range(5)]
    mail = {"direction": "outbound", "asks_reply": True}
    told += [activity(f"mail-{n}", start + (7 * n + 2) * DAY, "email", "sent", 2, **mail) for n in range(6)]
    reply = {"direction": "inbound", "in_reply_to": "mail-1"}
    told.append(activity("mail-1-reply", start + 9 * DAY + DAY / 4, "email", "sent", 2, **reply))
    told.append(activity("chat", start + 30 * DAY, "message", "sent", 3, direction="inbound"))
    return told


def meetings(start: datetime) -> list[Body]:
    """Held and missed ones, and three that were invited to and answered, moved or not answered at all."""
    told = [meeting(f"meeting-{n}", start + (6 * n + 1) * DAY, "held", 1 + n % 3) for n in range(4)]
    told.append(meeting("meeting-off", start + 44 * DAY, "no-show", 2))
    answers = (["accepted", "declined"], ["rescheduled-by-client", "rescheduled-by-client"], [])
    for number, answered in enumerate(answers):
        begins = (start + (50 + number) * DAY).isoformat()
        for step, outcome in enumerate(["invited", *answered]):
            said_at = start + (40 + step) * DAY
            more = {"thread": f"thread-{number}", "starts_at": begins}
            told.append(meeting(f"thread-{number}-{step}", said_at, outcome, 1 + number, **more))
    return told


def business(start: datetime) -> list[Body]:
    """Orders, one of them a credit note, and tickets, a proposal, a survey and a note."""
    money = {"amount": "900.00", "currency": "EUR", "direction": "inbound"}
    told = [activity(f"order-{n}", start + n * 3 * DAY, "order", "placed", **money) for n in range(7)]
    told.append(activity("credit", start + 20 * DAY, "order", "cancelled", **money | {"amount": "-90.00"}))
    tickets = enumerate(("opened", "escalated", "resolved"))
    told += [activity(f"ticket-{n}", start + (33 + n) * DAY, "ticket", outcome) for n, outcome in tickets]
    told.append(activity("proposal", start + 36 * DAY, "proposal", "declined"))
    told.append(activity("survey", start + 37 * DAY, "survey", "answered"))
    note = activity("note", start + 38 * DAY, "note", "")
    return [*told, {name: value for name, value in note.items() if name != "outcome"}]


def observation(external_id: str, at: datetime, kind: str) -> Body:
    """What a person saw."""
    seen = {"source": "people", "external_id": external_id, "kind": kind, "observed_at": at.isoformat()}
    return seen | {"account": company(1), "magnitude": 1.5}


def disordered(told: Sequence[Said], seed: int) -> list[Request]:
    """The same in any order, each up to three times, some wrongly in an earlier revision, in requests of any size."""
    chance = random.Random(seed)
    said = []
    for route, body in told:
        right = body | {"revision": 2}
        said += [(route, right)] * chance.choice([1, 2, 3])
        if chance.random() < 0.4:
            said.append((route, mistaken(chance, right)))
    chance.shuffle(said)
    return list(_requests(said, chance))


def mistaken(chance: random.Random, right: Body) -> Body:
    """The revision before, wrong in its time or about the wrong client."""
    moment = "occurred_at" if "occurred_at" in right else "observed_at"
    earlier = datetime.fromisoformat(right[moment]) - timedelta(days=3, hours=chance.randrange(20))
    wrong = chance.choice([{moment: earlier.isoformat()}, {"account": company(chance.choice([1, 2]))}])
    return right | {"revision": 1} | wrong


def _requests(said: list[Said], chance: random.Random) -> Iterator[Request]:
    while said:
        size = chance.choice([1, 2, 7])
        some, said = said[:size], said[size:]
        for route in sorted({route for route, _ in some}):
            yield route, [body for each, body in some if each == route]
