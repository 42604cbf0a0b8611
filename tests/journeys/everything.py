"""A tenant that has a row of every kind in every service, so that each reading route shows it something."""

import json
from datetime import timedelta
from typing import Any

import httpx
from routes import known_ids
from stories import begin, call, fall, opened, pass_time
from systems import Sending, by_standard_webhook
from tenants import OWNER, Tenant

Body = dict[str, Any]

COMPANY = {"source": "crm", "external_id": "company-1"}


async def with_something_everywhere(tenant: Tenant) -> dict[str, str]:
    """A tenant with a row for every id in every route; gives one id of each."""
    account_id = begin(tenant)
    watch(tenant, account_id)
    tenant.say(fall(tenant.now))
    await opened(tenant, account_id)
    plan(tenant, account_id)
    report(tenant)
    agree(tenant, account_id)
    deliver_for_a_stranger(tenant)
    govern(tenant)
    prove(tenant)
    tenant.settle()
    # Bets on people are made of balances ten minutes after these changed.
    pass_time(tenant)
    tenant.settle()
    return known_ids(tenant)


def watch(tenant: Tenant, account_id: str) -> None:
    """A channel that alerts go to, an override that is over, and an outcome."""
    channel = {
        "name": "Account team",
        "kind": "email",
        "recipients": ["team@example.com"],
        "reason": "they asked for it",
    }
    made = tenant.post("scoring", "channels", channel)
    tenant.post(
        "scoring", "notification-routes", {"name": "All", "channels": [made["id"]], "reason": "they asked for it"}
    )
    said = {"band": "watch", "reason": "met them", "expires_at": (tenant.now + timedelta(days=2)).isoformat()}
    put = tenant.request("PUT", "scoring", f"accounts/{account_id}/health/override", json=said)
    assert put.is_success, put.text
    gone = tenant.request("DELETE", "scoring", f"accounts/{account_id}/health/override")
    assert gone.is_success, gone.text
    outcome = {"account_id": account_id, "kind": "renewed", "date": (tenant.now - timedelta(days=9)).date().isoformat()}
    tenant.post("scoring", "outcomes", outcome)


def plan(tenant: Tenant, account_id: str) -> None:
    """A plan with an action."""
    today = tenant.now.date()
    body = {"account_id": account_id, "title": f"Plan {tenant.name}", "starts_on": today.isoformat(), "years": 1}
    made = tenant.post("plan", "plans", body)
    person = {"email": OWNER}
    action = {"title": "Call them", "due_on": (today + timedelta(days=9)).isoformat()}
    tenant.post("plan", f"plans/{made['id']}/actions", action | {"accountable": person, "responsible": [person]})


def report(tenant: Tenant) -> None:
    """A revenue and an answer to a survey."""
    today = tenant.now.date()
    period = {
        "period_start": (today - timedelta(days=60)).isoformat(),
        "period_end": (today - timedelta(days=31)).isoformat(),
    }
    revenue = {"measure": "revenue", "money": {"amount": "100.00", "currency": "EUR"}}
    tenant.say([{"source": "erp", "account": COMPANY} | revenue | period], "figures")
    answer = {"external_id": "answer-1", "scale": "1-5", "score": 4, "answered_at": tenant.now.isoformat()}
    tenant.say([{"source": "survey", "account": COMPANY} | answer], "survey-responses")


def agree(tenant: Tenant, account_id: str) -> None:
    """A KPI that was changed once and has an actual, and a target."""
    today = tenant.now.date()
    kpi = {"code": "uptime", "name": "Uptime", "unit": "percent", "direction": "higher", "target": 99}
    since = (today - timedelta(days=30)).isoformat()
    made = tenant.post("metrics", "kpis", {"account": {"id": account_id}, "valid_from": since} | kpi)
    write(tenant, "PATCH", f"kpis/{made['id']}", {"name": "Uptime of the portal"}, **{"If-Match": '"1"'})
    actual = {"date": (today - timedelta(days=1)).isoformat(), "value": 99.5}
    tenant.say([actual], f"kpis/{made['id']}/actuals")
    target = {"metric": "return-rate", "scope": "all", "from": since, "value": 0.9, "reason": "agreed for the year"}
    write(tenant, "PUT", "targets", target)


def deliver_for_a_stranger(tenant: Tenant) -> None:
    """A connection whose system delivered a call with nobody we know, and a name that was dismissed."""
    wanted = {"adapter": "cloudevents", "source": "cloudevents"}
    connection = tenant.post("metrics", "connections", wanted)
    secret = "a-secret-of-its-own"
    tenant.post("metrics", f"connections/{connection['id']}/secrets", {"secret": secret})
    stranger = {"source": "cloudevents", "account": {"domain": "stranger.example"}}
    event = {"specversion": "1.0", "id": "e-1", "source": "/crm", "type": "call", "time": tenant.now.isoformat()}
    event_body = json.dumps(event | {"data": call("delivered-1", tenant.now, "connected") | stranger}).encode()
    url = tenant.stack.url("metrics") + connection["address"]
    content, headers = by_standard_webhook(Sending(url, event_body, secret, tenant.now))
    answer = httpx.post(url, content=content, headers=headers, timeout=30)
    assert answer.is_success, answer.text
    write(tenant, "POST", "unmatched/dismiss", {"reference": {"domain": "spam.example"}, "reason": "no client"})


def govern(tenant: Tenant) -> None:
    """Limits of retention, which are applied at once, and an erasure of somebody nobody knows."""
    write(tenant, "PUT", "retention", {"activity_text_days": 400, "activity_days": None, "reason": "policy"})
    tenant.post("metrics", "erasures", {"person": {"email": "gone@example.com"}, "reason": "asked to be forgotten"})


def prove(tenant: Tenant) -> None:
    """A scorecard to be, and a look back at a day before anything happened."""
    tenant.post("scoring", "scorecards", {"name": "default", "scale": 7.0})
    past = (tenant.now - timedelta(days=30)).date().isoformat()
    tenant.post("scoring", "backtests", {"dates": [past], "horizon_days": 7, "min_acts": 1})


def write(tenant: Tenant, method: str, route: str, body: Body, **headers: str) -> None:
    """A write in metrics-svc that has to succeed."""
    answer = tenant.request(method, "metrics", route, json=body, headers=headers)
    assert answer.is_success, f"{route} answered {answer.status_code}: {answer.text}"
