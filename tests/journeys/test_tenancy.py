"""Another tenant sees nothing: every reading route of all five services, walked by their own documents."""

from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest
from routes import known_ids, reads
from stories import begin, fall, opened
from tenants import OWNER, Tenant

pytestmark = pytest.mark.stack

CATALOGUES = {"evidence-kinds", "play-templates", "alert-rules", "scorecards"}
"""Lists of what the product knows, the same for all: not empty for a tenant that has done nothing."""


async def with_something_everywhere(tenant: Tenant) -> dict[str, str]:
    """A tenant with a row for every id in every route; gives one id of each."""
    account_id = begin(tenant)
    tenant.say(fall(tenant.now))
    await opened(tenant, account_id)
    today = tenant.now.date()
    plan = tenant.post(
        "plan",
        "plans",
        {"account_id": account_id, "title": f"Plan {tenant.name}", "starts_on": today.isoformat(), "years": 1},
    )
    action = {"title": "Call them", "due_on": (today + timedelta(days=9)).isoformat()}
    person = {"email": OWNER}
    tenant.post("plan", f"plans/{plan['id']}/actions", action | {"accountable": person, "responsible": [person]})
    tenant.settle()
    return known_ids(tenant)


async def test_another_tenant_gets_empty_lists_and_not_found_on_every_route(
    new_tenant: Callable[[str], Tenant],
) -> None:
    owner, other = new_tenant("owner"), new_tenant("other")
    ids = await with_something_everywhere(owner)
    secrets = {*ids.values(), owner.name, owner.owner_id, "company-1", "call-1"}
    walked = list(reads(owner.stack))
    assert len(walked) >= 20
    assert not {each for each in walked if each.ids - ids.keys()}, "teach routes.py where to find these ids"

    for each in walked:
        seen = owner.request("GET", each.service, each.filled(ids))
        hidden = other.request("GET", each.service, each.filled(ids))
        assert seen.status_code == 200, (each, seen.text)
        if each.ids:
            assert problem(hidden) == (404, "application/problem+json"), (each, hidden.text)
        else:
            assert hidden.status_code == 200, (each, hidden.text)
            assert seen.json().get("items") != [], f"{each} shows its owner nothing, so hiding it proves nothing"
            assert not hidden.json().get("items") or each.route in CATALOGUES, (each, hidden.text)
        asked = {ids[name] for name in each.ids}
        assert not {secret for secret in secrets - asked if secret in hidden.text}, (each, hidden.text)


async def test_another_tenant_can_change_nothing_of_ours(new_tenant: Callable[[str], Tenant]) -> None:
    owner, other = new_tenant("owner"), new_tenant("other")
    ids = await with_something_everywhere(owner)
    match = {"If-Match": '"1"'}
    writes = [
        ("PATCH", "profile", f"accounts/{ids['account_id']}", {"name": "Mine now"}),
        ("DELETE", "profile", f"accounts/{ids['account_id']}", None),
        ("PATCH", "stakeholder", f"stakeholders/{ids['stakeholder_id']}", {"name": "Mine now"}),
        ("DELETE", "stakeholder", f"stakeholders/{ids['stakeholder_id']}", None),
        ("POST", "metrics", f"evidence/{ids['evidence_id']}/retract", {"reason": "not mine"}),
        ("POST", "scoring", f"alerts/{ids['alert_id']}/acknowledge", {}),
        ("PATCH", "plan", f"plans/{ids['plan_id']}", {"title": "Mine now"}),
        ("PATCH", "plan", f"actions/{ids['action_id']}", {"title": "Mine now"}),
        ("POST", "plan", f"plays/{ids['play_id']}/take", {}),
        ("POST", "plan", f"plays/{ids['play_id']}/close", {"note": "not mine"}),
    ]
    for method, service, route, body in writes:
        answer = other.request(method, service, route, headers=match, json=body)
        assert problem(answer) == (404, "application/problem+json"), (route, answer.text)

    assert owner.get("profile", f"accounts/{ids['account_id']}")["name"] == f"Harbour {owner.name}"
    assert owner.get("plan", f"plays/{ids['play_id']}")["status"] == "open"


def problem(answer: httpx.Response) -> tuple[int, str]:
    """Status and media type."""
    return answer.status_code, answer.headers.get("content-type", "")
