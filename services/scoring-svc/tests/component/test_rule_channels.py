"""Channels that a rule names itself: told of its alerts besides what routes bring, and refused when there are none."""

from typing import Any
from uuid import UUID

import pytest

from bellwether_kit.ids import uuid7

NOBODY = str(UUID(int=7))


async def trouble(world: Any, **more: Any) -> None:
    """Three calls that nobody returned: the score is below the threshold."""
    await world.tell(*(world.evidence("call-unreturned", **more) for _ in range(3)))


async def name(world: Any, rule: str, *channels: str) -> None:
    answer = await world.put(f"/alert-rules/{rule}", {"channels": channels, "reason": "our desk wants to know"})
    assert (answer.status_code, answer.json()["channels"]) == (200, sorted(channels))


async def test_a_rule_tells_its_channels_at_once_and_what_becomes_of_the_alert(
    world: Any, desk: Any, receiver: Any
) -> None:
    channel = (await desk.channel("webhook", url=receiver.url))["id"]
    await name(world, "health-below", channel)
    await trouble(world)
    await world.mailbox.fire_timers()
    [alert] = await world.alerts()
    await world.post(f"/alerts/{alert['alert_id']}/resolve", {"reason": "we spoke"})
    await world.mailbox.fire_timers()
    assert [one.json["type"] for one in receiver.heard] == ["alert.opened", "alert.resolved"]
    told = await desk.deliveries()
    assert [(one["route_id"], one["status"]) for one in told] == [(None, "sent")] * 2


async def test_a_rule_that_is_no_reason_of_the_alert_tells_nobody(world: Any, desk: Any) -> None:
    await name(world, "champion-lost", (await desk.channel("webhook", url="https://93.184.216.34/x"))["id"])
    await trouble(world)
    assert len(await world.alerts()) == 1
    assert await desk.deliveries() == []


async def test_a_reason_that_joins_brings_its_rules_channels(world: Any, saying: Any, desk: Any, receiver: Any) -> None:
    channel = (await desk.channel("webhook", url=receiver.url))["id"]
    await name(world, "champion-lost", channel)
    await trouble(world)
    for _ in range(2):
        await world.tell(saying.person(status="gone", version=2), times=2)
        await world.mailbox.fire_timers()
    [heard] = receiver.heard
    assert "champion-lost" in [reason["rule"] for reason in heard.json["data"]["reasons"]]


async def test_where_a_route_leads_to_the_same_channel_the_route_says_when_and_it_is_told_once(
    world: Any, desk: Any, receiver: Any
) -> None:
    channel = (await desk.channel("webhook", url=receiver.url))["id"]
    await name(world, "health-below", channel)
    route = await desk.route(channel, quiet_from="00:00", quiet_to="23:00")
    await trouble(world)
    await world.mailbox.fire_timers()
    assert receiver.heard == []
    assert [one["route_id"] for one in await desk.deliveries()] == [route["id"]]


@pytest.mark.parametrize("how", ["put", "preview"])
async def test_channels_that_there_are_not_are_refused_and_nothing_changes(
    world: Any, desk: Any, client: Any, auth: Any, how: str
) -> None:
    ours = (await desk.channel("slack", url="https://93.184.216.34/x"))["id"]
    removed = (await desk.channel("teams", url="https://93.184.216.34/x"))["id"]
    assert (await desk.ask("DELETE", f"/channels/{removed}?reason=unused")).status_code == 204
    theirs = await type(desk)(client, auth("alerts:admin", tenant="globex")).channel(
        "slack", url="https://93.184.216.34/x"
    )
    for channel in (NOBODY, removed, theirs["id"]):
        body: dict[str, Any] = {"channels": [ours, channel]}
        if how == "put":
            answer = await world.put("/alert-rules/health-below", body | {"reason": "x"})
        else:
            answer = await desk.ask("POST", "/alert-rules/health-below/preview", body)
        said = answer.json()
        assert (answer.status_code, said["code"]) == (422, "unroutable-channel")
        assert [error["pointer"] for error in said["errors"]] == ["/channels/1"]
    rule = (await world.get("/alert-rules/health-below")).json()
    assert (rule["version"], rule["channels"]) == (0, [])


async def test_a_name_is_no_channel(world: Any) -> None:
    answer = await world.put("/alert-rules/health-below", {"channels": ["our desk"], "reason": "x"})
    assert (answer.status_code, answer.json()["code"]) == (422, "validation-failed")
    assert (await world.get("/alert-rules/health-below")).json()["version"] == 0


async def test_a_rules_channel_that_was_removed_since_is_told_nothing_and_the_log_says_why(
    world: Any, desk: Any
) -> None:
    channel = (await desk.channel("slack", url="https://93.184.216.34/x"))["id"]
    await name(world, "health-below", channel)
    assert (await desk.ask("DELETE", f"/channels/{channel}?reason=unused")).status_code == 204
    await trouble(world, account_id=uuid7())
    await world.mailbox.fire_timers()
    told = world.mailbox.admin("SELECT status, problem FROM notification")
    assert [(row.status, row.problem) for row in told] == [("given-up", "channel-removed")]
