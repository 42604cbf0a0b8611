"""Figures follow the truth: whatever happened in whatever order, they are what a straight count gives.

The count below knows no marks, no differences and no buckets: it looks at everything that is on record.
"""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from metrics_svc.figures.rules import start_of

ANA, BO = UUID(int=0xA), UUID(int=0xB)
Figures = dict[tuple[Any, ...], tuple[int, float]]


class Everything:
    """What is on record, read as superuser."""

    def __init__(self, admin: Any) -> None:
        self.evidence = admin("SELECT * FROM evidence WHERE retracted_for IS NULL")
        self.activities = admin("SELECT * FROM activity WHERE account_id IS NOT NULL")
        self.expectations = {row.opened_by: row for row in admin("SELECT * FROM expectation")}
        self.touch_days = admin("SELECT * FROM touch_day WHERE contacts <> 0")
        self.accounts = {(row.tenant, row.account_id): row for row in admin("SELECT * FROM account")}

    def figures(self) -> Figures:
        """By tenant, account, day and measure: how many, and their sum."""
        found: dict[tuple[Any, ...], list[float]] = defaultdict(lambda: [0, 0.0])
        for key, n, total in [*self._evidence(), *self._contacts(), *self._orders()]:
            found[key][0] += n
            found[key][1] += total
        return {key: (int(n), round(total, 6)) for key, (n, total) in found.items()}

    def _evidence(self) -> Iterator[tuple[tuple[Any, ...], int, float]]:
        for piece in self.evidence:
            at = (piece.tenant, piece.account_id, day(piece.observed_at))
            yield (*at, f"evidence:{piece.kind}"), 1, piece.polarity * piece.magnitude
            side = "positive" if piece.polarity > 0 else "negative"
            yield (*at, f"{side}:{piece.family}"), 1, piece.magnitude
            yield (*at, "balance"), 1, piece.polarity * piece.magnitude
            asked = self.expectations.get(UUID(piece.anchor)) if piece.rule == "returned" else None
            if asked is not None and asked.closed_at is not None:
                yield (*at, "response-time"), 1, (asked.closed_at - asked.opened_at) / timedelta(hours=1)

    def _contacts(self) -> Iterator[tuple[tuple[Any, ...], int, float]]:
        for row in self.touch_days:
            yield (row.tenant, row.account_id, row.day, "contacts"), row.contacts, row.two_way
        met = defaultdict(set)
        for activity in self.activities:
            month = start_of("month", day(activity.occurred_at))
            if activity.contact_ids and activity.type != "observation":
                met[activity.tenant, activity.account_id, month, "people"] |= set(activity.contact_ids)
        yield from ((key, 1, len(people)) for key, people in met.items())

    def _orders(self) -> Iterator[tuple[tuple[Any, ...], int, float]]:
        bought = set()
        for order in self.activities:
            if order.type != "order" or order.outcome == "cancelled":
                continue
            key = (order.tenant, order.account_id, day(order.occurred_at), f"revenue:{order.currency}")
            yield key, int(order.amount >= 0), float(order.amount)
            if order.amount >= 0:
                bought.add((*key[:2], start_of("quarter", key[2])))
        for tenant, account, quarter in bought:
            following = start_of("quarter", quarter + timedelta(days=95))
            yield (tenant, account, following, "buyers"), 1, float((tenant, account, following) in bought)

    def groups(self, by: str) -> Figures:
        """The same by tenant, scope, member, measure and bucket (a ``day`` or a ``month``)."""
        found: dict[tuple[Any, ...], list[float]] = defaultdict(lambda: [0, 0.0])
        for (tenant, account_id, at, measure), (n, total) in self.figures().items():
            account = self.accounts[tenant, account_id]
            groups = {"all": "", "owner": account.owner_id, "territory": account.territory, "tier": account.tier}
            for scope, member in groups.items() if not account.removed else ():
                if member is not None:
                    key = (tenant, scope, str(member), measure, at if by == "day" else start_of("month", at))
                    found[key][0] += n
                    found[key][1] += total
        return {key: (int(n), round(total, 6)) for key, (n, total) in found.items() if n or round(total, 6)}


def day(moment: datetime) -> date:
    return moment.astimezone(UTC).date()


def kept(rows: Sequence[Any], *names: str) -> Figures:
    """Rows of buckets by their keys, without those that came to nothing."""
    return {
        tuple(getattr(row, name) for name in names): (row.n, round(float(row.total), 6))
        for row in rows
        if row.n or round(float(row.total), 6)
    }


def assert_figures_are_the_truth(admin: Any) -> None:
    """Compare every bucket with a straight count."""
    truth = Everything(admin)
    of_accounts = admin("SELECT * FROM figure_account_day")
    assert truth.figures() == kept(of_accounts, "tenant", "account_id", "day", "measure")
    for by in ("day", "month"):
        buckets = admin(f"SELECT * FROM figure_{by}")
        assert truth.groups(by) == kept(buckets, "tenant", "scope", "member", "measure", "day")


def made_up(rng: random.Random, crm: Any, number: int) -> dict[str, Any]:
    """Some activity of the last 150 days with one of two accounts, in its first or a later revision."""
    type_ = rng.choice(["call", "call", "email", "meeting", "order", "order"])
    outcomes = {
        "call": ["no-answer", "connected", "voicemail"],
        "email": ["sent", "replied"],
        "meeting": ["accepted", "held", "declined", "invited"],
        "order": ["placed", "placed", "cancelled"],
    }
    more: dict[str, Any] = {"amount": rng.choice(["100.50", "-5.25", "0.10"]), "currency": rng.choice(["EUR", "USD"])}
    return crm.call(
        number,
        rng.choice(outcomes[type_]),
        external_id=f"{type_}-{number}",
        type=type_,
        direction=rng.choice(["outbound", "outbound", "inbound"]),
        asks_reply=type_ in {"call", "email"} or None,
        occurred_at=crm.at(hours=rng.randrange(150 * 24)),
        revision=rng.randrange(1, 4),
        account={"source": "crm", "external_id": rng.choice(["company-17", "company-18"])},
        contacts=[{"source": "crm", "external_id": f"contact-{n}"} for n in rng.sample(range(3), rng.randrange(3))],
        **(more if type_ == "order" else {}),
    )


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_happens_in_whatever_order_figures_are_a_straight_count(
    crm: Any, deliver: Any, changed: Any, removed: Any, other: UUID, admin: Any, seed: int
) -> None:
    rng = random.Random(seed)
    named = ({"source": "crm", "external_id": "company-18"},)
    await deliver(changed(owner_id=ANA, tier="A"), changed(account_id=other, external_ids=named, email_domains=()))
    story = [made_up(rng, crm, number % 30) for number in range(90)]
    for step, start in enumerate(range(0, len(story), 15)):
        await crm.post(*story[start : start + 15])
        version, owner = step + 2, rng.choice([ANA, BO, None])
        account = {
            "version": version,
            "owner_id": owner,
            "tier": rng.choice("AB"),
            "territory": rng.choice(["DE", None]),
        }
        await deliver(changed(**account), times=2)
        if step == 2:
            await deliver(removed(account_id=other, version=5))
        if step == 4:
            await deliver(changed(account_id=other, external_ids=named, email_domains=(), version=6, owner_id=ANA))
        if rng.random() < 0.7:
            await crm.pass_time(hours=rng.randrange(200))
            assert_figures_are_the_truth(admin)
    [piece, *_] = (await crm.get("/v1/evidence", status="recorded"))["items"]
    path = f"/v1/evidence/{piece['id']}/retract"
    assert (await crm.client.post(path, json={"reason": "a mistake"}, headers=crm.headers)).status_code == 200
    await crm.pass_time(days=9)
    assert_figures_are_the_truth(admin)


async def test_marks_that_come_again_change_nothing(crm: Any, account: UUID, admin: Any) -> None:
    await crm.post(crm.call(1, "connected", direction="inbound"))
    await crm.pass_time(hours=1)
    before = admin("SELECT * FROM figure_day ORDER BY scope, member, measure, day")
    admin("INSERT INTO figure_mark (tenant, account_id, day) SELECT tenant, account_id, day FROM figure_account_day")
    await crm.pass_time(hours=1)
    assert before == admin("SELECT * FROM figure_day ORDER BY scope, member, measure, day")
    assert admin("SELECT 1 FROM figure_mark") == []


async def test_one_transaction_marks_a_day_once(crm: Any, account: UUID, admin: Any) -> None:
    admin("DELETE FROM figure_mark")
    await crm.post(*(crm.call(number, "connected", direction="inbound") for number in range(20)))
    assert len(admin("SELECT 1 FROM figure_mark")) == 1


async def test_an_ask_that_is_corrected_changes_how_long_its_reply_took(crm: Any, account: UUID, admin: Any) -> None:
    await crm.post(crm.call(1, occurred_at=crm.at(days=3)), crm.call(2, "connected", direction="inbound"))
    await crm.pass_time(minutes=1)
    await crm.post(crm.call(1, occurred_at=crm.at(days=2), revision=2))
    await crm.pass_time(minutes=1)
    assert_figures_are_the_truth(admin)


async def test_tenants_never_meet_in_a_figure(
    crm: Any, of_globex: Any, deliver: Any, changed: Any, admin: Any, other: UUID
) -> None:
    await deliver(changed())
    await deliver(changed(account_id=other), tenant="globex")
    await crm.post(crm.call(1, "connected", direction="inbound"))
    await of_globex.post(of_globex.call(1, "connected", direction="inbound"), of_globex.call(2, "connected"))
    await crm.pass_time(hours=1)
    assert_figures_are_the_truth(admin)
    assert len({row.tenant for row in admin("SELECT tenant FROM figure_day")}) == 2
