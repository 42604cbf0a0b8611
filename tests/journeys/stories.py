"""What happens with a client in the journeys: activities as a CRM posts them. Nothing is posted here."""

from datetime import datetime, timedelta
from typing import Any

from records import of_type
from tenants import OWNER, Tenant

from bellwether_kit.testing.eventually import eventually

Body = dict[str, Any]

WINDOW = 2
"""Seconds a reply may take in the story."""


def activity(external_id: str, at: datetime, type_: str, outcome: str, contact: int = 1, **more: Any) -> Body:
    """One activity of account company-1."""
    return {
        "source": "crm",
        "external_id": external_id,
        "revision": 1,
        "type": type_,
        "outcome": outcome,
        "occurred_at": at.isoformat(),
        "account": {"source": "crm", "external_id": "company-1"},
        "contacts": [{"source": "crm", "external_id": f"contact-{contact}"}],
        "owner": {"email": OWNER},
    } | more


def call(external_id: str, at: datetime, outcome: str, contact: int = 1, direction: str = "outbound") -> Body:
    """A call; one that did not connect asks for a reply."""
    return activity(external_id, at, "call", outcome, contact, direction=direction)


def meeting(external_id: str, at: datetime, outcome: str, contact: int = 1, **more: Any) -> Body:
    """A meeting; `at` is its start."""
    return activity(external_id, at, "meeting", outcome, contact, **more)


def fall(at: datetime) -> list[Body]:
    """A meeting of tomorrow is declined, and a little later three people do not pick up."""
    tomorrow = (at + timedelta(days=1)).isoformat()
    calls = [call(f"call-{n}", at, "no-answer", n) for n in (1, 2, 3)]
    return [*calls, meeting("review", at - timedelta(minutes=10), "declined", starts_at=tomorrow)]


def recovery(at: datetime) -> list[Body]:
    """One of them calls back, and two meetings are held."""
    return [
        call("call-back", at, "connected", 1, "inbound"),
        meeting("lunch", at + timedelta(minutes=1), "held", 2),
        meeting("workshop", at + timedelta(minutes=2), "held", 3),
    ]


def people(account_id: str) -> list[Body]:
    """The three people at the client, with the roles that a decision needs."""
    roles = (["economic", "purchaser"], ["technical"], ["user"])
    return [
        {
            "external_ids": [{"source": "crm", "external_id": f"contact-{n}"}],
            "account": {"id": account_id},
            "name": f"Person {n}",
            "decision_roles": roles[n - 1],
            "certainty": "confirmed",
        }
        for n in (1, 2, 3)
    ]


def begin(tenant: Tenant) -> str:
    """Windows of seconds, an account and its people; gives the account's id."""
    tenant.expect_replies_within(WINDOW)
    account_id = tenant.open_account()
    tenant.post("stakeholder", "stakeholders", {"items": people(account_id)})
    tenant.settle()
    return account_id


async def opened(tenant: Tenant, account_id: str) -> Body:
    """Let the time for replies pass, wait for an open play; gives the alert that opened it, as its topic has it."""
    tenant.clock.advance(timedelta(seconds=WINDOW))
    await eventually(lambda: tenant.plays(account_id, status="open"), within=60)
    events = await of_type(tenant.stack, "account-alerts", "account.alert.opened.v1", tenant.name)
    [alert] = [event.data for event in events if event.data["account_id"] == account_id]
    return alert


async def resolved(tenant: Tenant, account_id: str) -> None:
    """Wait until the account's alerts are resolved and its plays closed."""
    await eventually(
        lambda: (
            [alert["status"] for alert in tenant.alerts(account_id)] == ["resolved"]
            and not tenant.plays(account_id, status="open")
        ),
        within=60,
    )


def pass_time(tenant: Tenant, span: timedelta = timedelta(minutes=30)) -> datetime:
    """Move the stack's clock; gives a moment in the middle, at which something may have happened meanwhile."""
    before = tenant.now
    tenant.clock.advance(span)
    return before + span / 2
