"""Every alert rule on the running stack: evidence or time fires it, evidence or time ends it, and its alert resolves.

One tenant with an account per rule goes through it all at once: what was good before, the trouble, fifteen days in
which nothing is said, and the recovery. No account gives any other rule a reason.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

import pytest
import pytest_asyncio
from records import Record, read
from stories import Body, activity, call, meeting
from tenants import OWNER, Tenant

from bellwether.stack import Stack
from scoring_svc.alert_rules.rules import DEFAULT_RULES

pytestmark = pytest.mark.stack

DAY = timedelta(days=1)
PASSING = 15 * DAY
SERVICES = {"accounts": "profile", "stakeholders": "stakeholder", "activities": "metrics", "evidence": "metrics"}
OURS = [{"email": OWNER}, {"email": "ben@example.com"}]

Said = tuple[str, Body]
"""The route that something is posted to, and what is posted of the account."""
Told = Callable[[datetime], list[Said]]
"""What is said at a moment."""


def nothing(_at: datetime) -> list[Said]:
    """Nothing is said: time does it, or there is nothing to say."""
    return []


def held(count: int, at: datetime, word: str = "held") -> list[Said]:
    """Meetings held, a day apart, the last one at the moment."""
    return [("activities", meeting(f"{word}-{n}", at - n * DAY, "held", n + 1)) for n in range(count)]


def seen(kind: str, at: datetime, magnitude: float = 1.0) -> Said:
    """What one of ours saw the client do."""
    observed = {"kind": kind, "observed_at": at.isoformat(), "magnitude": magnitude}
    return "evidence", observed | {"source": "people", "external_id": f"{kind}-{at:%d}"}


def person(number: int, **facts: object) -> Said:
    """Somebody at the client, with whom two of ours are in touch unless it says otherwise."""
    return "stakeholders", {"name": f"Person {number}", "contacts": OURS, "number": number} | facts


def ticket(number: int, at: datetime) -> Said:
    """The client complains."""
    return "activities", activity(f"ticket-{number}", at, "ticket", "opened", direction="inbound")


def unanswered_mail(number: int, at: datetime) -> Said:
    """We ask somebody something by e-mail; nobody answers."""
    more = {"direction": "outbound", "asks_reply": True}
    return "activities", activity(f"mail-{number}", at, "email", "sent", number, **more)


def call_back(at: datetime) -> Said:
    """The client calls."""
    return "activities", call("call-back", at, "connected", 1, "inbound")


@dataclass(frozen=True)
class Course:
    """How one rule comes and goes: what is said before, then, and after fifteen days; `facts` are of the account.

    `fires_by_time` and `ends_by_time` say that the fifteen days do it, and nothing that is said.
    """

    kind: str = "at-risk"
    facts: Callable[[datetime], Body] = lambda _at: {}
    before: Told = nothing
    trouble: Told = nothing
    recovery: Told = nothing
    fires_by_time: bool = False
    ends_by_time: bool = False


COURSES = {
    "health-below": Course(
        trouble=lambda at: [("activities", call(f"call-{n}", at - 10 * DAY, "no-answer", n)) for n in (1, 2, 3)],
        recovery=lambda at: [call_back(at), *held(3, at)],
    ),
    "health-drop": Course(
        before=lambda at: held(3, at - DAY),
        trouble=lambda at: [seen("inside-information-withheld", at - n * DAY, 2.0) for n in (1, 2)],
        ends_by_time=True,
    ),
    "evidence-burst": Course(
        before=lambda at: held(3, at - DAY),
        trouble=lambda at: [ticket(n, at - n * DAY) for n in (1, 2, 3)],
        ends_by_time=True,
    ),
    "pattern-break": Course(
        before=lambda at: held(8, at - 60 * DAY),
        trouble=lambda at: [unanswered_mail(n, at - (7 + 5 * n) * DAY) for n in (1, 2, 3, 4)],
        recovery=lambda at: held(4, at, "again"),
    ),
    "decisive-evidence": Course(
        before=lambda at: held(3, at - DAY),
        trouble=lambda at: [seen("not-invited", at - DAY)],
        ends_by_time=True,  # somebody has acknowledged it
    ),
    "going-dark": Course(
        facts=lambda _at: {"cadence_days": 8},
        before=lambda at: held(4, at - 4 * DAY),
        recovery=lambda at: [call_back(at)],
        fires_by_time=True,
    ),
    "renewal-risk": Course(
        facts=lambda at: {"renewal_at": (at + 60 * DAY).isoformat()},
        # No contact: engagement alone would stand high for a moment, and what follows would be a drop.
        trouble=lambda at: [
            seen("introduction-solicited", at - DAY),
            *(seen("complaint-raised", at - n * DAY) for n in (1, 2)),
        ],
        recovery=lambda at: [seen("renewal-signed", at)],
    ),
    "champion-lost": Course(
        before=lambda _at: [person(1, sentiment="champion"), person(2)],
        trouble=lambda _at: [person(1, status="gone")],
        recovery=lambda _at: [person(2, sentiment="champion")],
    ),
    "detractor-with-veto": Course(
        before=lambda _at: [person(1, veto=True)],
        trouble=lambda _at: [person(1, sentiment="detractor")],
        recovery=lambda _at: [person(1, sentiment="supporter")],
    ),
    "single-threaded": Course(
        trouble=lambda _at: [person(n, contacts=OURS[:1]) for n in (1, 2, 3)],
        recovery=lambda _at: [person(n) for n in (1, 2)],
        fires_by_time=True,
    ),
    "plan-slipping": Course(kind="plan", fires_by_time=True),
    "growth-opportunity": Course(
        kind="growth",
        facts=lambda _at: {"whitespace": {"amount": "250000.00", "currency": "EUR"}},
        trouble=lambda at: [seen("advice-sought", at - n * DAY, 0.75) for n in (1, 2)],
        recovery=lambda _at: [("accounts", {"whitespace": None})],
    ),
}


@dataclass(frozen=True)
class Lived:
    """What the story came to: alerts by account after the trouble, after the time and at the end, and the topic."""

    passed_at: datetime
    recovered_at: datetime
    troubled: dict[str, list[Body]]
    waited: dict[str, list[Body]]
    ended: dict[str, list[Body]]
    records: dict[str, list[Record]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lived(stack: Stack) -> Lived:
    """The story, lived through once."""
    tenant = Tenant(stack, "ruled")
    try:
        began = tenant.now
        accounts = open_accounts(tenant, began)
        plan = planned(tenant, accounts["plan-slipping"])
        tell(tenant, {rule: course.before(began) for rule, course in COURSES.items()})
        tell(tenant, {rule: course.trouble(began) for rule, course in COURSES.items()})
        troubled = alerts_of(tenant, accounts)
        [decisive] = troubled["decisive-evidence"]
        tenant.post("scoring", f"alerts/{decisive['alert_id']}/acknowledge", {})
        tenant.clock.advance(PASSING)
        passed_at = tenant.clock.now()
        tenant.settle()
        waited, recovered_at = alerts_of(tenant, accounts), tenant.clock.now()
        carry_out(tenant, plan)
        tell(tenant, {rule: course.recovery(recovered_at) for rule, course in COURSES.items()})
        records = await read(stack, "account-alerts", tenant=tenant.name)
        by_account = {
            rule: [record for record in records if record.data["account_id"] == account_id]
            for rule, account_id in accounts.items()
        }
        return Lived(passed_at, recovered_at, troubled, waited, alerts_of(tenant, accounts), by_account)
    finally:
        tenant.close()


@pytest.mark.parametrize("rule", COURSES)
async def test_a_rule_fires_and_ends_and_its_alert_resolves(rule: str, lived: Lived) -> None:
    course, first, last = COURSES[rule], lived.records[rule][0], lived.records[rule][-1]
    [alert] = lived.ended[rule]
    fired = lived.waited[rule] if course.fires_by_time else lived.troubled[rule]

    assert [rules_of(each) for each in fired] == [[rule]]
    assert (lived.troubled[rule] == []) == course.fires_by_time
    assert [each["status"] == "resolved" for each in lived.waited[rule]] == [course.ends_by_time]
    assert (alert["status"], alert["kind"], alert["reasons"]) == ("resolved", course.kind, [])

    assert (first.type, rules_of(first.data)) == ("account.alert.opened.v1", [rule])
    assert (last.type, last.data["reasons"]) == ("account.alert.resolved.v1", [])
    assert {record.data["alert_id"] for record in lived.records[rule]} == {alert["alert_id"]}
    assert {tuple(rules_of(record.data)) for record in lived.records[rule][:-1]} == {(rule,)}
    assert (lived.passed_at <= moment(first.data["opened_at"])) == course.fires_by_time
    assert (moment(last.data["resolved_at"]) < lived.recovered_at) == course.ends_by_time


def test_every_rule_has_a_course() -> None:
    assert COURSES.keys() == DEFAULT_RULES.keys()


def open_accounts(tenant: Tenant, at: datetime) -> dict[str, str]:
    """An account per rule, which may be silent for a year unless its course says otherwise; gives their ids."""
    known = {"tier": "B", "owner": {"email": OWNER}, "cadence_days": 365}
    items = [
        {"external_ids": [company(rule)], "name": f"Account of {rule}"} | known | course.facts(at)
        for rule, course in COURSES.items()
    ]
    results = tenant.post("profile", "accounts", {"items": items})["items"]
    tenant.settle()
    return {rule: result["id"] for rule, result in zip(COURSES, results, strict=True)}


def tell(tenant: Tenant, told: dict[str, list[Said]]) -> None:
    """Post what is said of each account, as many as there are in a request, and wait until all has followed."""
    said = sorted(all_said(told), key=lambda each: each[0])
    for route, items in groupby(said, key=lambda each: each[0]):
        results = tenant.post(SERVICES[route], route, {"items": [body for _, body in items]})["items"]
        assert not [result["problem"] for result in results if result["problem"]]
    tenant.settle()


def all_said(told: dict[str, list[Said]]) -> Iterator[Said]:
    """What is said, with its account and with names that are of this account only."""
    for rule, said in told.items():
        for route, body in said:
            if route == "accounts":
                yield route, body | {"external_ids": [company(rule)]}
            elif route == "stakeholders":
                name = {"source": "crm", "external_id": f"{rule}-{body['number']}"}
                facts = {fact: value for fact, value in body.items() if fact != "number"}
                yield route, facts | {"account": company(rule), "external_ids": [name]}
            else:
                yield route, body | {"account": company(rule), "external_id": f"{rule}-{body['external_id']}"}


def company(rule: str) -> dict[str, str]:
    """The account of a rule, as the CRM names it."""
    return {"source": "crm", "external_id": rule}


def planned(tenant: Tenant, account_id: str) -> str:
    """A plan in force with two actions that are due soon."""
    today = tenant.now.date()
    body = {"account_id": account_id, "title": "Plan", "starts_on": today.isoformat(), "years": 1, "status": "active"}
    plan_id = str(tenant.post("plan", "plans", body)["id"])
    for title in ("Call them", "Meet them"):
        action = {"title": title, "due_on": (today + 2 * DAY).isoformat(), "accountable": OURS[0]}
        tenant.post("plan", f"plans/{plan_id}/actions", action | {"responsible": OURS})
    return plan_id


def carry_out(tenant: Tenant, plan_id: str) -> None:
    """All actions are done at last."""
    for action in tenant.every("plan", f"plans/{plan_id}/actions"):
        match = {"If-Match": f'"{action["version"]}"'}
        done = tenant.request("PATCH", "plan", f"actions/{action['id']}", json={"status": "done"}, headers=match)
        assert done.is_success, done.text


def alerts_of(tenant: Tenant, accounts: dict[str, str]) -> dict[str, list[Body]]:
    """The alerts of each account, as scoring-svc answers."""
    alerts = tenant.every("scoring", "alerts")
    return {rule: [each for each in alerts if each["account_id"] == id_] for rule, id_ in accounts.items()}


def rules_of(alert: Body) -> list[str]:
    """The rules that an alert's reasons are of."""
    return [reason["rule"] for reason in alert["reasons"]]


def moment(said: str) -> datetime:
    """A time as it was said."""
    return datetime.fromisoformat(said)
