"""Notification routes: what goes where, and what can be no route."""

from typing import Any
from uuid import UUID

import pytest

CHAT = {"url": "https://93.184.216.34/services/x"}
NOBODY = str(UUID(int=7))


async def test_a_route_is_made_changed_and_removed_with_reasons(desk: Any) -> None:
    channel = (await desk.channel("slack", **CHAT))["id"]
    made = await desk.route(channel, tiers=["A"], quiet_from="18:00", quiet_to="08:00", time_zone="Europe/Berlin")
    assert (made["tiers"], made["quiet_from"], made["reason"]) == (["A"], "18:00:00", "tests")
    path = f"/notification-routes/{made['id']}"
    body = {"name": "some", "channels": [channel], "min_severity": "high", "reason": "too many"}
    assert (await desk.ask("PUT", path, body)).status_code == 428
    changed = await desk.ask("PUT", path, body, **{"If-Match": '"1"'})
    assert (changed.json()["min_severity"], changed.json()["tiers"]) == ("high", [])
    assert (await desk.ask("PUT", path, body, **{"If-Match": '"1"'})).status_code == 412
    assert [one["id"] for one in (await desk.ask("GET", "/notification-routes")).json()["items"]] == [made["id"]]
    assert (await desk.ask("DELETE", path)).status_code == 422
    assert (await desk.ask("DELETE", f"{path}?reason=unused")).status_code == 204
    gone = await desk.ask("GET", path)
    assert (gone.status_code, gone.json()["code"]) == (404, "unknown-route")


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"time_zone": "Atlantis/Deep"}, "unknown-time-zone"),
        ({"time_zone": "../etc/passwd"}, "unknown-time-zone"),
        ({"channels": [NOBODY]}, "unroutable-channel"),
        ({"quiet_from": "18:00"}, "validation-failed"),
        ({"quiet_from": "25:00", "quiet_to": "08:00"}, "validation-failed"),
        ({"channels": []}, "validation-failed"),
    ],
)
async def test_what_can_be_no_route_is_refused(desk: Any, given: dict[str, Any], code: str) -> None:
    channel = (await desk.channel("slack", **CHAT))["id"]
    answer = await desk.ask(
        "POST", "/notification-routes", {"name": "r", "channels": [channel], "reason": "x", **given}
    )
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert (await desk.ask("GET", "/notification-routes")).json()["items"] == []


async def test_a_receiver_of_single_alerts_takes_no_digest(desk: Any) -> None:
    channel = (await desk.channel("pagerduty", secret="0123456789abcdef"))["id"]
    body = {"name": "r", "channels": [channel], "reason": "x", "digest_at": "18:00"}
    answer = await desk.ask("POST", "/notification-routes", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "no-digest")
    assert (await desk.ask("GET", "/notification-routes")).json()["items"] == []


async def test_a_route_of_another_tenant_is_unknown(desk: Any, client: Any, auth: Any) -> None:
    channel = (await desk.channel("slack", **CHAT))["id"]
    path = f"/notification-routes/{(await desk.route(channel))['id']}"
    other = type(desk)(client, auth("alerts:admin", tenant="globex"))
    body = {"name": "r", "channels": [channel], "reason": "x"}
    for method, tail, said in (("GET", "", None), ("PUT", "", body), ("DELETE", "?reason=x", None)):
        answer = await other.ask(method, path + tail, said, **{"If-Match": '"1"'})
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown-route")
    answer = await other.ask("POST", "/notification-routes", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "unroutable-channel")
    assert (await desk.ask("GET", path)).json()["name"] == "all"
