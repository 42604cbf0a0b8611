"""What receivers get of alerts, each time once, and what becomes of deliveries that fail."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from bellwether_kit.db import Database
from bellwether_kit.ids import uuid7
from bellwether_kit.timers import fire
from scoring_svc.subscriptions import TIMERS


async def trouble(world: Any, **more: Any) -> None:
    """Three calls that nobody returned: an alert opens."""
    await world.tell(*(world.evidence("call-unreturned", **more) for _ in range(3)))


async def test_a_webhook_is_signed_with_both_live_secrets_and_says_the_alert(
    world: Any, desk: Any, receiver: Any
) -> None:
    channel = await desk.channel("webhook", url=receiver.url)
    second = (await desk.ask("POST", f"/channels/{channel['id']}/secrets", {})).json()
    await desk.route(channel["id"])
    await trouble(world)
    await world.mailbox.fire_timers()
    [heard] = receiver.heard
    for secret in (channel["secret"], second["secret"]):
        assert Webhook(secret).verify(heard.body, heard.headers)["type"] == "alert.opened"
    [alert] = await world.alerts()
    assert (heard.json["data"]["alert_id"], heard.json["data"]["severity"]) == (alert["alert_id"], alert["severity"])
    [delivery] = await desk.deliveries()
    assert (delivery["status"], delivery["attempts"], delivery["answer"]) == ("sent", 1, 204)
    assert heard.headers["webhook-id"] == delivery["id"]
    assert heard.headers["host"] == f"127.0.0.1:{receiver.port}"


async def test_what_was_sent_is_not_sent_again_however_often_events_come(world: Any, desk: Any, receiver: Any) -> None:
    await desk.route((await desk.channel("webhook", url=receiver.url))["id"])
    said = [world.evidence("call-unreturned") for _ in range(3)]
    for batch in (said, said, said[::-1]):
        await world.tell(*batch)
        await world.mailbox.fire_timers()
    assert len(receiver.heard) == 1


async def test_what_becomes_of_an_alert_follows_its_opening(world: Any, desk: Any, receiver: Any) -> None:
    await desk.route((await desk.channel("webhook", url=receiver.url))["id"])
    await trouble(world)
    [alert] = await world.alerts()
    await world.post(f"/alerts/{alert['alert_id']}/acknowledge")
    await world.post(f"/alerts/{alert['alert_id']}/comments", {"text": "calling"})
    await world.mailbox.fire_timers()
    await world.post(f"/alerts/{alert['alert_id']}/resolve", {"reason": "we spoke"})
    await world.mailbox.fire_timers()
    assert [one.json["type"] for one in receiver.heard] == ["alert.opened", "alert.acknowledged", "alert.resolved"]


async def test_an_alert_that_ended_before_it_was_told_is_not_told(world: Any, desk: Any, receiver: Any) -> None:
    await desk.route((await desk.channel("webhook", url=receiver.url))["id"], quiet_from="00:00", quiet_to="23:00")
    await trouble(world, account_id=uuid7())
    [alert] = await world.alerts()
    await world.post(f"/alerts/{alert['alert_id']}/resolve", {"reason": "a mistake"})
    await world.days_pass(1)
    assert receiver.heard == []
    assert [one["status"] for one in await desk.deliveries()] == ["overtaken"]


async def test_what_fails_is_tried_again_in_its_order_until_it_is_taken(world: Any, desk: Any, receiver: Any) -> None:
    await desk.route((await desk.channel("webhook", url=receiver.url))["id"])
    receiver.answers = [500, 302, 0]
    await trouble(world)
    await world.mailbox.fire_timers()
    [alert] = await world.alerts()
    await world.post(f"/alerts/{alert['alert_id']}/acknowledge")
    problems = []
    for _ in range(4):
        problems.append((await desk.deliveries())[0]["problem"])
        world.clock.advance(timedelta(minutes=10))
        await world.mailbox.fire_timers()
    assert problems == ["answered-500", "answered-302", "no-answer-in-time", None]
    assert [one.json["type"] for one in receiver.heard] == ["alert.opened"] * 4 + ["alert.acknowledged"]
    assert len({one.headers["webhook-id"] for one in receiver.heard[:4]}) == 1


async def test_a_receiver_that_never_answers_keeps_no_other_waiting(world: Any, desk: Any, receiver: Any) -> None:
    slow = await desk.channel("webhook", name="slow", url=receiver.url)
    quick = await desk.channel("alertmanager", name="quick", url=receiver.url.replace("/hook", "/quick"))
    receiver.answers_at = {"/hook": 0}
    await desk.route(slow["id"], quick["id"])
    await trouble(world)
    await world.mailbox.fire_timers()
    found = {one["channel_id"]: (one["status"], one["attempts"], one["problem"]) for one in await desk.deliveries()}
    assert found == {slow["id"]: ("waiting", 1, "no-answer-in-time"), quick["id"]: ("sent", 1, None)}


async def test_patience_ends_after_three_days_and_a_person_may_send_it_again(
    world: Any, desk: Any, receiver: Any
) -> None:
    await desk.route((await desk.channel("webhook", url=receiver.url))["id"])
    receiver.answers = [500] * 1_000
    await trouble(world)
    await world.mailbox.fire_timers()
    began = world.clock.now()
    while (await desk.deliveries(status="waiting")) != []:
        [waiting] = await desk.deliveries(status="waiting")
        assert datetime.fromisoformat(waiting["due_at"]) - began < timedelta(days=3)
        world.clock.advance(datetime.fromisoformat(waiting["due_at"]) - world.clock.now())
        await world.mailbox.fire_timers()
    [delivery] = await desk.deliveries(status="given-up")
    assert (delivery["problem"], delivery["due_at"]) == ("answered-500", None)
    assert world.clock.now() - began > timedelta(days=2, hours=20)
    receiver.answers = []
    again = await desk.ask("POST", f"/deliveries/{delivery['id']}/redeliver")
    assert (again.status_code, again.json()["status"]) == (200, "waiting")
    twice = await desk.ask("POST", f"/deliveries/{delivery['id']}/redeliver")
    assert (twice.status_code, twice.json()["code"]) == (409, "delivery-waiting")
    await world.mailbox.fire_timers()
    assert (await desk.deliveries(status="sent"))[0]["id"] == delivery["id"]


async def test_a_receiver_that_is_gone_disables_its_channel(world: Any, desk: Any, receiver: Any) -> None:
    channel = await desk.channel("webhook", url=receiver.url)
    await desk.route(channel["id"])
    receiver.answers = [410]
    await trouble(world)
    await world.mailbox.fire_timers()
    await trouble(world, account_id=uuid7())
    await world.mailbox.fire_timers()
    seen = (await desk.ask("GET", f"/channels/{channel['id']}")).json()
    assert (seen["disabled_at"] is not None, seen["author"]) == (True, "bellwether")
    told = [(one["status"], one["problem"]) for one in await desk.deliveries()]
    assert told == [("given-up", "answered-410"), ("given-up", "channel-disabled")]
    assert len(receiver.heard) == 1
    delivery = (await desk.deliveries())[0]
    answer = await desk.ask("POST", f"/deliveries/{delivery['id']}/redeliver")
    assert (answer.status_code, answer.json()["code"]) == (409, "channel-disabled")
    assert (await desk.deliveries())[0]["status"] == "given-up"


async def test_an_address_that_has_become_private_since_is_refused_when_it_is_sent_to(
    world: Any, desk: Any, receiver: Any, settings_as: Any, clock: Any
) -> None:
    await desk.route((await desk.channel("webhook", url=receiver.url))["id"])
    await trouble(world)
    database = Database(settings_as("worker", private_channels=False), clock=clock)
    await database.open()
    [timer] = [timer for timer in TIMERS if timer.name == "notifications"]
    assert await fire(database, timer) == 1
    await database.close()
    [delivery] = await desk.deliveries()
    assert (delivery["status"], delivery["answer"], delivery["problem"].split(":")[0]) == (
        "waiting",
        None,
        "address-refused",
    )
    assert receiver.heard == []


async def test_pagerduty_keeps_an_alert_in_one_incident(world: Any, desk: Any, receiver: Any) -> None:
    key = "0123456789abcdef0123456789abcdef"
    await desk.route((await desk.channel("pagerduty", url=receiver.url, secret=key))["id"])
    await trouble(world)
    [alert] = await world.alerts()
    await world.post(f"/alerts/{alert['alert_id']}/acknowledge")
    await world.mailbox.fire_timers()
    await world.post(f"/alerts/{alert['alert_id']}/resolve", {"reason": "we spoke"})
    await world.mailbox.fire_timers()
    events = [one.json for one in receiver.heard]
    assert [one["event_action"] for one in events] == ["trigger", "acknowledge", "resolve"]
    assert {(one["routing_key"], one["dedup_key"]) for one in events} == {(key, alert["alert_id"])}
    payload = events[0]["payload"]
    assert {"summary", "source", "severity"} <= payload.keys()
    assert payload["severity"] in {"info", "warning", "error", "critical"}


async def test_alertmanager_is_told_in_its_own_form(world: Any, desk: Any, receiver: Any) -> None:
    await desk.route((await desk.channel("alertmanager", url=receiver.url, secret="s3cret-token"))["id"])
    await trouble(world)
    await world.mailbox.fire_timers()
    [alert] = await world.alerts()
    await world.post(f"/alerts/{alert['alert_id']}/resolve", {"reason": "we spoke"})
    await world.mailbox.fire_timers()
    firing, resolved = (one.json for one in receiver.heard)
    assert receiver.heard[0].headers["authorization"] == "Bearer s3cret-token"
    documented = {"version", "groupKey", "truncatedAlerts", "status", "receiver", "groupLabels", "commonLabels"}
    documented |= {"commonAnnotations", "externalURL", "alerts"}
    assert (firing.keys(), firing["version"]) == (documented, "4")
    of_one = {"status", "labels", "annotations", "startsAt", "endsAt", "generatorURL", "fingerprint"}
    assert firing["alerts"][0].keys() == of_one
    assert (firing["status"], resolved["status"]) == ("firing", "resolved")
    assert firing["groupKey"] == resolved["groupKey"]
    assert datetime.fromisoformat(resolved["alerts"][0]["endsAt"]) == world.clock.now()


@pytest.mark.parametrize("kind", ["slack", "teams"])
async def test_chats_get_a_line(world: Any, saying: Any, desk: Any, receiver: Any, kind: str) -> None:
    await world.tell(saying.account(name="<!here> & Sons"))
    await desk.route((await desk.channel(kind, url=receiver.url))["id"])
    await trouble(world)
    await world.mailbox.fire_timers()
    [heard] = receiver.heard
    if kind == "slack":
        assert "&lt;!here&gt; &amp; Sons" in heard.json["text"]
    else:
        card = heard.json["attachments"][0]["content"]
        assert (card["type"], "<!here> & Sons" in card["body"][0]["text"]) == ("AdaptiveCard", True)


async def test_an_email_has_text_and_html(world: Any, saying: Any, desk: Any, mail_server: Any) -> None:
    await world.tell(saying.account(name="<b>Northwind</b>\nBcc: all"))
    people = ["ana@example.com", "ben@example.com"]
    await desk.route((await desk.channel("email", recipients=people))["id"])
    await trouble(world)
    await world.mailbox.fire_timers()
    [mail] = mail_server.mails
    assert mail_server.envelopes == [people]
    assert "Northwind" in mail["Subject"]
    assert "Score" in mail.get_body(("plain",)).get_content()
    assert "&lt;b&gt;Northwind" in mail.get_body(("html",)).get_content()
    [delivery] = await desk.deliveries()
    assert mail["Message-ID"] == f"<{delivery['id']}@bellwether>"


async def test_a_mail_server_that_is_away_is_asked_again(world: Any, desk: Any) -> None:
    await desk.route((await desk.channel("email", recipients=["ana@example.com"]))["id"])
    await trouble(world)
    await world.mailbox.fire_timers()
    [delivery] = await desk.deliveries()
    assert (delivery["status"], delivery["problem"]) == ("waiting", "not-reached: ConnectionRefusedError")


async def test_a_digest_is_one_message_at_its_time(world: Any, saying: Any, desk: Any, receiver: Any) -> None:
    channel = await desk.channel("webhook", url=receiver.url)
    await desk.route(channel["id"], digest_at="18:00", time_zone="Europe/Berlin")
    accounts = [uuid7() for _ in range(3)]
    for account in accounts:
        await trouble(world, account_id=account)
    await world.mailbox.fire_timers()
    assert receiver.heard == []
    due = {datetime.fromisoformat(one["due_at"]).isoformat() for one in await desk.deliveries()}
    assert due == {"2026-03-02T17:00:00+00:00"}
    world.clock.advance(timedelta(hours=8))
    await world.mailbox.fire_timers()
    [heard] = receiver.heard
    said = Webhook(channel["secret"]).verify(heard.body, heard.headers)
    assert said["type"] == "alerts.digest"
    assert {one["account_id"] for one in said["data"]["alerts"]} == {str(account) for account in accounts}
    assert {one["status"] for one in await desk.deliveries()} == {"sent"}


async def test_deliveries_are_forgotten_thirty_days_after_their_end(world: Any, desk: Any, receiver: Any) -> None:
    await desk.route((await desk.channel("webhook", url=receiver.url))["id"], kinds=["at-risk"])
    await trouble(world)
    await world.mailbox.fire_timers()
    [delivery] = await desk.deliveries()
    detail = (await desk.ask("GET", f"/deliveries/{delivery['id']}")).json()
    assert detail["said"]["change"] == "opened"
    world.clock.advance(timedelta(days=31))
    await world.mailbox.fire_timers()
    gone = await desk.ask("GET", f"/deliveries/{delivery['id']}")
    assert (gone.status_code, gone.json()["code"]) == (404, "unknown-delivery")


async def test_another_tenant_sees_no_delivery_and_sends_none_again(
    world: Any, desk: Any, receiver: Any, client: Any, auth: Any
) -> None:
    await desk.route((await desk.channel("webhook", url=receiver.url))["id"])
    await trouble(world)
    await world.mailbox.fire_timers()
    [delivery] = await desk.deliveries()
    other = type(desk)(client, auth("alerts:admin", tenant="globex"))
    assert await other.deliveries() == []
    for method, tail in (("GET", ""), ("POST", "/redeliver")):
        answer = await other.ask(method, f"/deliveries/{delivery['id']}{tail}")
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown-delivery")
    assert await desk.deliveries() == [delivery]
