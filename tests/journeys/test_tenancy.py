"""Another tenant sees nothing: every reading route of all five services, walked by their own documents."""

from collections.abc import Callable

import httpx
import pytest
from everything import with_something_everywhere
from routes import reads
from tenants import Tenant

pytestmark = pytest.mark.stack

CATALOGUES = {"evidence-kinds", "play-templates", "alert-rules", "scorecards", "adapters", "metrics"}
"""Lists of what the product knows, the same for all: not empty for a tenant that has done nothing."""
EMPTY = {
    "storms": "needs more alerts at once than a stack with a clock of its own ever holds back",
    "metrics/high-performers": "needs owners with several accounts each; it reads the same rows as metrics/people",
}
"""Lists that show their owner nothing here either, and why."""


KEPT = ("activities", "connections", "inbound-deliveries", "kpis", "unmatched", "erasures")
"""Lists of metrics-svc that stay as they are whatever another tenant tries."""


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
        seen = owner.request("GET", each.service, each.filled(ids), params=each.query)
        hidden = other.request("GET", each.service, each.filled(ids), params=each.query)
        assert seen.status_code == 200, (each, seen.text)
        if each.ids:
            assert problem(hidden) == (404, "application/problem+json"), (each, hidden.text)
        else:
            assert hidden.status_code == 200, (each, hidden.text)
            assert seen.json().get("items") != [] or each.route in EMPTY, f"{each} shows its owner nothing to hide"
            assert not hidden.json().get("items") or each.route in CATALOGUES, (each, hidden.text)
        asked = {ids[name] for name in each.ids}
        assert not {secret for secret in secrets - asked if secret in hidden.text}, (each, hidden.text)


async def test_another_tenant_can_change_nothing_of_ours(new_tenant: Callable[[str], Tenant]) -> None:
    owner, other = new_tenant("owner"), new_tenant("other")
    ids = await with_something_everywhere(owner)
    before = {route: owner.get("metrics", route) for route in KEPT}
    [secret] = before["connections"]["items"][0]["secrets"]
    match = {"If-Match": '"1"'}
    for method, service, route, body in writes(ids, secret):
        answer = other.request(method, service, route, headers=match, json=body)
        assert problem(answer) == (404, "application/problem+json"), (route, answer.text)

    owner.settle()
    assert {route: owner.get("metrics", route) for route in KEPT} == before
    assert owner.get("profile", f"accounts/{ids['account_id']}")["name"] == f"Harbour {owner.name}"
    assert owner.get("scoring", f"scorecards/{ids['scorecard_id']}")["state"] == "draft"
    assert owner.get("plan", f"plays/{ids['play_id']}")["status"] == "open"


def writes(ids: dict[str, str], secret: dict[str, str]) -> list[tuple[str, str, str, dict[str, object] | None]]:
    """Method, service, route and body of everything that would change what these ids name."""
    return [
        ("PATCH", "profile", f"accounts/{ids['account_id']}", {"name": "Mine now"}),
        ("DELETE", "profile", f"accounts/{ids['account_id']}", None),
        ("PATCH", "stakeholder", f"stakeholders/{ids['stakeholder_id']}", {"name": "Mine now"}),
        ("DELETE", "stakeholder", f"stakeholders/{ids['stakeholder_id']}", None),
        ("POST", "metrics", f"evidence/{ids['evidence_id']}/retract", {"reason": "not mine"}),
        ("POST", "metrics", f"activities/{ids['activity_id']}/rematch", {"account_id": None, "reason": "not mine"}),
        ("PATCH", "metrics", f"connections/{ids['connection_id']}", {"disabled": True}),
        ("DELETE", "metrics", f"connections/{ids['connection_id']}", None),
        ("POST", "metrics", f"connections/{ids['connection_id']}/secrets", {}),
        ("DELETE", "metrics", f"connections/{ids['connection_id']}/secrets/{secret['id']}", None),
        ("POST", "metrics", f"inbound-deliveries/{ids['delivery_id']}/retry", None),
        ("PATCH", "metrics", f"kpis/{ids['kpi_id']}", {"name": "Mine now"}),
        ("DELETE", "metrics", f"kpis/{ids['kpi_id']}", None),
        ("POST", "metrics", f"kpis/{ids['kpi_id']}/actuals", {"date": "2026-01-01", "value": 1}),
        ("POST", "metrics", "unmatched/match", match_to(ids["account_id"])),
        ("POST", "metrics", "erasures", {"account": {"id": ids["account_id"]}, "reason": "not mine"}),
        ("POST", "scoring", f"alerts/{ids['alert_id']}/acknowledge", {}),
        ("PATCH", "scoring", f"channels/{ids['channel_id']}", {"name": "Mine now", "reason": "not mine"}),
        ("DELETE", "scoring", f"notification-routes/{ids['route_id']}?reason=mine", None),
        ("PUT", "scoring", f"scorecards/{ids['scorecard_id']}", {"scale": 1.0}),
        ("POST", "scoring", f"scorecards/{ids['scorecard_id']}/dry-run", {}),
        ("POST", "scoring", f"scorecards/{ids['scorecard_id']}/publish", {"reason": "not mine"}),
        ("POST", "scoring", f"scorecards/{ids['scorecard_id']}/retire", {"reason": "not mine"}),
        ("DELETE", "scoring", f"scorecards/{ids['scorecard_id']}", None),
        ("POST", "scoring", f"rescoring-runs/{ids['run_id']}/stop", None),
        ("POST", "scoring", f"backtests/{ids['backtest_id']}/stop", None),
        ("PATCH", "plan", f"plans/{ids['plan_id']}", {"title": "Mine now"}),
        ("PATCH", "plan", f"actions/{ids['action_id']}", {"title": "Mine now"}),
        ("POST", "plan", f"plays/{ids['play_id']}/take", {}),
        ("POST", "plan", f"plays/{ids['play_id']}/close", {"note": "not mine"}),
    ]


def match_to(account_id: str) -> dict[str, object]:
    """A decision that a name is an account's."""
    return {"reference": {"domain": "stranger.example"}, "account_id": account_id, "reason": "not mine"}


def problem(answer: httpx.Response) -> tuple[int, str]:
    """Status and media type."""
    return answer.status_code, answer.headers.get("content-type", "")
