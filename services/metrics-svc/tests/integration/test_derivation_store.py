"""Deriving bit by bit on a real PostgreSQL ends where deriving the whole history at once begins and ends."""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event

from bellwether_kit.clock import FixedClock
from bellwether_kit.db import Database
from bellwether_kit.ids import opaque_id
from bellwether_kit.testing.service import Mailbox
from metrics_svc.activities.rules import CONVERSATION, Activity, Change, Posted, Reference
from metrics_svc.derivation.rules import Terms, weekdays
from metrics_svc.derivation.store import follow
from metrics_svc.evidence.rules import Evidence
from metrics_svc.intake.store import take_in
from metrics_svc.preview.rules import Kept, history

ACCOUNTS = [UUID(int=101), UUID(int=102)]
PEOPLE = [UUID(int=201), UUID(int=202)]
DAY = timedelta(days=1)


MIXED = ["call", "call", "email", "message", "meeting", "order", "order", "ticket", "proposal", "payment"]


def made_up(rng: random.Random, tenant: str, number: int, now: datetime, types: Sequence[str] = MIXED) -> Posted:
    """Some activity of the last 60 days; few accounts and people, so that much is about the same ones."""
    account = rng.choice(ACCOUNTS)
    type_ = rng.choice(types)
    outcomes: dict[str, list[str | None]] = {
        "call": ["no-answer", "voicemail", "connected", None],
        "email": ["sent", "bounced", "replied", None],
        "message": ["sent", None],
        "meeting": ["invited", "accepted", "declined", "held", "no-show", "rescheduled-by-client"],
        "order": ["placed", "placed", "placed", "cancelled"],
        "ticket": ["opened", "reopened", "escalated", "resolved", None],
        "proposal": ["sent", "accepted", "declined"],
        "payment": ["received", "late"],
    }
    occurred_at = now - rng.randrange(60 * 24) * timedelta(hours=1)
    external_id = f"{type_}-{number}"
    return Posted(
        activity=Activity(
            tenant=tenant,
            activity_id=opaque_id(tenant, "activity", "crm", external_id),
            source="crm",
            type=type_,
            outcome=rng.choice(outcomes[type_]),
            direction=rng.choice(["outbound", "outbound", "inbound"]) if type_ in CONVERSATION else None,
            occurred_at=occurred_at,
            recorded_at=now,
            starts_at=occurred_at + rng.randrange(5) * DAY if type_ == "meeting" else None,
            contact_ids=tuple(rng.sample(PEOPLE, rng.randrange(3))),
            asks_reply=rng.choice([True, None]),
            meeting_id=UUID(int=rng.randrange(300, 306)) if type_ == "meeting" else None,
            amount=Decimal(rng.choice([100, -5])) if type_ == "order" else None,
        ),
        currency="EUR" if type_ == "order" else None,
        attributes={"renewal": rng.choice([True, False])} if type_ == "proposal" else {},
        external_id=external_id,
        reference=Reference(kind="id", value=str(account)),
    )


def from_scratch(kept: Sequence[Kept], as_of: datetime) -> dict[Any, Evidence]:
    """All evidence of a whole history, under the default rules."""
    terms = Terms(as_of=as_of, books={}, countries={}, working_day=weekdays)
    by_account = defaultdict(list)
    for item in kept:
        by_account[item.activity.account_id].append(item)
    return {slot: piece for one in by_account.values() for slot, piece in history(one, terms).evidence.items()}


def on_record(mailbox: Mailbox, tenant: str) -> dict[Any, Any]:
    rows = mailbox.admin("SELECT * FROM evidence WHERE tenant = %s AND retracted_for IS NULL", tenant)
    return {
        (row.account_id, row.rule, row.anchor): (
            row.kind,
            row.magnitude,
            row.observed_at,
            tuple(row.contact_ids),
            tuple(row.activity_ids),
        )
        for row in rows
    }


def as_rows(evidence: dict[Any, Evidence]) -> dict[Any, Any]:
    return {
        tuple(slot)[1:]: (p.kind, p.magnitude, p.observed_at, p.contact_ids, p.activity_ids)
        for slot, p in evidence.items()
    }


def know_accounts(mailbox: Mailbox, tenant: str) -> None:
    for account in ACCOUNTS:
        mailbox.admin(
            "INSERT INTO account (tenant, account_id, version, removed) VALUES (%s, %s, 1, false)", tenant, account
        )
        mailbox.admin(
            "INSERT INTO account_reference VALUES (%s, 'id', '', %s, %s, now(), false)", tenant, str(account), account
        )


async def post(database: Database, tenant: str, posted: Sequence[Posted]) -> list[Change]:
    async with database.unit_of_work(None) as uow:
        taken = await take_in(uow, tenant, posted)
        await follow(uow, taken.changes, taken.countries)
    return list(taken.changes)


@pytest.mark.parametrize("seed", range(25))
async def test_any_arrival_with_repeats_corrections_and_timers_ends_as_from_scratch(
    seed: int, database: Database, mailbox: Mailbox, clock: FixedClock
) -> None:
    rng, tenant = random.Random(seed), f"seed-{seed}"
    know_accounts(mailbox, tenant)
    types = ["call"] if seed % 3 == 0 else MIXED
    first = [made_up(rng, tenant, number, clock.now(), types) for number in range(rng.choice([5, 30, 80]))]
    later = []
    for item in rng.sample(first, len(first) // 3):
        again = made_up(rng, tenant, 0, clock.now(), types)
        kept = replace(again.activity, activity_id=item.activity.activity_id, revision=2)
        if kept.type == item.activity.type:
            later.append(replace(again, activity=kept, external_id=item.external_id))
    arrivals = [*first, *later, *rng.sample(first, len(first) // 2)]
    rng.shuffle(arrivals)
    while arrivals:
        size = rng.choice([1, 2, 7, 40])
        await post(database, tenant, arrivals[:size])
        arrivals = arrivals[size:]
        if rng.random() < 0.4:
            clock.advance(rng.randrange(1, 30) * timedelta(hours=1))
            await mailbox.fire_timers()
    clock.advance(timedelta(days=rng.choice([0, 3, 100])))
    await mailbox.fire_timers()

    latest = {item.activity.activity_id: item for item in sorted([*first, *later], key=lambda i: i.activity.revision)}
    history = [
        Kept(replace(item.activity, account_id=UUID(item.reference.value)), item.currency, item.attributes)
        for item in latest.values()
    ]
    assert as_rows(from_scratch(history, clock.now())) == on_record(mailbox, tenant)


@pytest.mark.parametrize("seed", range(10))
async def test_orders_of_years_in_any_order_end_as_from_scratch(
    seed: int, database: Database, mailbox: Mailbox, clock: FixedClock
) -> None:
    rng, tenant = random.Random(seed), f"orders-{seed}"
    know_accounts(mailbox, tenant)
    made = [made_up(rng, tenant, number, clock.now(), ["order"]) for number in range(60)]
    spans = [300] * 14 + [900]  # a few lie long before all others: they decide what is compared with what
    ages = [rng.randrange(rng.choice(spans)) * DAY for _ in range(80)]
    every = [dated(item, clock.now() - age, 1) for item, age in zip(made, ages, strict=False)]
    every += [dated(item, clock.now() - age, 2) for item, age in zip(made, ages[60:], strict=False)]
    arrivals = rng.sample(every, len(every))
    while arrivals:
        await post(database, tenant, arrivals[:3])
        arrivals = arrivals[3:]
        if rng.random() < 0.2:
            clock.advance(rng.randrange(60) * DAY)
            if rng.random() < 0.5:
                await mailbox.fire_timers()
    await mailbox.fire_timers()
    latest = {item.activity.activity_id: item for item in sorted(every, key=lambda item: item.activity.revision)}
    history = [
        Kept(replace(item.activity, account_id=UUID(item.reference.value)), item.currency) for item in latest.values()
    ]
    assert as_rows(from_scratch(history, clock.now())) == on_record(mailbox, tenant)


def dated(item: Posted, at: datetime, revision: int) -> Posted:
    """The same order of another time, in another revision."""
    return replace(item, activity=replace(item.activity, occurred_at=at, revision=revision))


@pytest.mark.parametrize("seed", range(5))
async def test_deriving_everything_anew_changes_nothing(
    seed: int, database: Database, mailbox: Mailbox, clock: FixedClock
) -> None:
    rng, tenant = random.Random(seed), f"anew-{seed}"
    know_accounts(mailbox, tenant)
    await post(database, tenant, [made_up(rng, tenant, number, clock.now()) for number in range(80)])
    await mailbox.fire_timers()
    said = len(mailbox.outbox())
    mailbox.admin("UPDATE account SET anew_at = '2000-01-01Z', anew_from = '1990-01-01Z'")
    await mailbox.fire_timers()
    assert len(mailbox.outbox()) == said
    assert mailbox.admin("SELECT 1 FROM account WHERE anew_at IS NOT NULL") == []


async def test_many_activities_take_as_many_statements_as_a_few(
    database: Database, mailbox: Mailbox, clock: FixedClock
) -> None:
    rng = random.Random(1)
    counts = []
    for tenant, size in (("few", 60), ("many", 500)):
        know_accounts(mailbox, tenant)
        posted = [made_up(rng, tenant, number, clock.now()) for number in range(size)]
        with counted(database) as statements:
            await post(database, tenant, posted)
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 30


async def test_one_more_call_costs_the_same_however_long_the_history(
    database: Database, mailbox: Mailbox, clock: FixedClock
) -> None:
    rng, rows = random.Random(1), []
    for tenant, size in (("short", 60), ("long", 900)):
        know_accounts(mailbox, tenant)
        calls = [made_up(rng, tenant, number, clock.now(), ["call"]) for number in range(size + 1)]
        history = [
            replace(
                item,
                reference=calls[0].reference,
                activity=replace(item.activity, occurred_at=clock.now() - number * timedelta(hours=6)),
            )
            for number, item in enumerate(calls)
        ]
        for start in range(1, size, 450):
            await post(database, tenant, history[start : start + 450])
        with counted(database) as statements:
            await post(database, tenant, history[:1])
        rows.append(sum(statements))
    assert rows[1] <= rows[0] + 8  # as many chases as happen to be open, never the whole history


@contextmanager
def counted(database: Database) -> Iterator[list[int]]:
    """The number of rows that each statement returned or changed."""
    seen: list[int] = []

    def note(*args: Any) -> None:
        seen.append(args[1].rowcount)

    event.listen(database.engine.sync_engine, "after_cursor_execute", note)
    yield seen
    event.remove(database.engine.sync_engine, "after_cursor_execute", note)
