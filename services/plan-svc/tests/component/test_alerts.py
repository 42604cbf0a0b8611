"""Alerts open and close plays: twice, out of order, many at once, for the right person."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from bellwether_kit.clock import FixedClock
from bellwether_kit.ids import opaque_id, uuid7

pytestmark = pytest.mark.usefixtures("known")

OPENED, CLOSED = "account.play.opened.v1", "account.play.closed.v1"


def rows(admin: Callable[..., list[Any]]) -> list[tuple[str, str | None]]:
    return [(row.status, row.close_reason) for row in admin("SELECT * FROM play ORDER BY opened_at, play_id")]


async def test_an_alert_opens_its_play_with_one_accountable_owner_and_the_templates_steps(
    deliver: Any, alert: Any, outbox: Any, admin: Any, owner_id: UUID, alert_id: UUID, account_id: UUID
) -> None:
    await deliver(alert("opened", 1))
    [said] = outbox(OPENED)
    assert (str(alert_id), str(owner_id), "recover-relationship") == (
        said.data["alert_id"],
        said.data["accountable_id"],
        said.data["play"],
    )
    assert ("account-plans", f"acme/{account_id}") == (said.topic, said.key)
    steps = admin("SELECT * FROM action ORDER BY position")
    assert [step.position for step in steps] == [1, 2, 3, 4]
    assert {owner_id} == {step.accountable_id for step in steps}
    assert {str(said.data["play_id"])} == {str(step.play_id) for step in steps}


async def test_the_alerts_own_owner_comes_before_the_accounts(deliver: Any, alert: Any, outbox: Any) -> None:
    somebody = uuid7()
    await deliver(alert("opened", 1, owner_id=somebody))
    assert [str(somebody)] == [said.data["accountable_id"] for said in outbox(OPENED)]


async def test_without_any_owner_the_tenants_fallback_answers(deliver: Any, alert: Any, outbox: Any) -> None:
    unheard_of = uuid7()
    await deliver(alert("opened", 1, account_id=unheard_of))
    expected = str(opaque_id("acme", "role", "account-lead"))
    assert [expected] == [said.data["accountable_id"] for said in outbox(OPENED)]


async def test_every_alert_event_twice_opens_and_closes_once(deliver: Any, alert: Any, outbox: Any, admin: Any) -> None:
    await deliver(alert("opened", 1), times=2)
    await deliver(alert("opened", 1))
    assert [said.type for said in outbox()] == [OPENED]
    await deliver(alert("resolved", 2), times=2)
    await deliver(alert("resolved", 2))
    assert [said.type for said in outbox()] == [OPENED, CLOSED]
    assert rows(admin) == [("closed", "alert-resolved")]


async def test_opened_and_resolved_in_one_batch_leave_a_closed_play(
    deliver: Any, alert: Any, outbox: Any, admin: Any
) -> None:
    await deliver(alert("opened", 1), alert("resolved", 2), alert("reopened", 3), alert("resolved", 4))
    assert [said.type for said in outbox()] == [OPENED, CLOSED, OPENED, CLOSED]
    assert [said.sequence for said in outbox()] == [1, 2, 3, 4]
    assert rows(admin) == [("closed", "alert-resolved")] * 2


async def test_opened_arriving_after_resolved_leaves_no_play_open(
    deliver: Any, alert: Any, outbox: Any, admin: Any
) -> None:
    await deliver(alert("resolved", 2))
    await deliver(alert("opened", 1))
    assert (outbox(), rows(admin)) == ([], [])
    await deliver(alert("reopened", 5))
    await deliver(alert("resolved", 4))
    assert rows(admin) == [("open", None)]


async def test_a_reopened_alert_opens_a_new_play_with_new_due_dates(
    deliver: Any, alert: Any, admin: Any, clock: FixedClock
) -> None:
    await deliver(alert("opened", 1))
    await deliver(alert("resolved", 2))
    clock.advance(timedelta(hours=12))
    await deliver(alert("reopened", 3))
    assert rows(admin) == [("closed", "alert-resolved"), ("open", None)]
    [opened] = admin("SELECT opened_at FROM play WHERE status = 'open'")
    assert clock.now() == opened.opened_at


async def test_a_known_play_open_by_hand_is_not_opened_twice_and_not_closed(
    deliver: Any, alert: Any, admin: Any, client: httpx.AsyncClient, writer: dict[str, str], account_id: UUID
) -> None:
    body = {"account_id": str(account_id), "play": "recover-relationship"}
    assert (await client.post("/v1/plays", json=body, headers=writer)).status_code == 201
    await deliver(alert("opened", 1))
    await deliver(alert("resolved", 2))
    assert rows(admin) == [("open", None)]


@pytest.mark.parametrize("how", ["a step is begun", "a step is done", "somebody took it"])
async def test_a_play_that_somebody_works_on_stays_open_and_says_so(
    deliver: Any,
    alert: Any,
    outbox: Any,
    client: httpx.AsyncClient,
    writer: dict[str, str],
    how: str,
) -> None:
    await deliver(alert("opened", 1))
    play_id = outbox(OPENED)[0].data["play_id"]
    if how == "somebody took it":
        assert (await client.post(f"/v1/plays/{play_id}/take", headers=writer)).status_code == 200
    else:
        steps = (await client.get(f"/v1/plays/{play_id}", headers=writer)).json()["steps"]
        status = {"a step is begun": "in-progress", "a step is done": "done"}[how]
        changed = await client.patch(
            f"/v1/actions/{steps[0]['id']}", json={"status": status}, headers=writer | {"If-Match": '"1"'}
        )
        assert changed.status_code == 200, changed.text
    await deliver(alert("resolved", 2))
    play = (await client.get(f"/v1/plays/{play_id}", headers=writer)).json()
    assert (
        play["status"],
        play["note"],
    ) == ("open", "Its alert is resolved; it stays open because somebody works on it.")
    assert outbox(CLOSED) == []
    await deliver(alert("reopened", 3))
    assert None is (await client.get(f"/v1/plays/{play_id}", headers=writer)).json()["note"]


@pytest.mark.parametrize("suggested", [None, "no-such-play"])
async def test_an_alert_without_a_known_play_opens_none(
    deliver: Any, alert: Any, outbox: Any, dead_letters: Any, suggested: str | None
) -> None:
    await deliver(alert("opened", 1, suggested_play=suggested), alert("resolved", 2, suggested_play=suggested))
    assert (outbox(), dead_letters()) == ([], [])


async def test_one_batch_of_many_accounts_and_tenants_opens_a_play_for_each(
    deliver: Any, alert: Any, outbox: Any
) -> None:
    accounts = [uuid7() for _ in range(40)]
    await deliver(
        *(
            alert("opened", n, tenant=tenant, account_id=account, alert_id=uuid7())
            for n, account in enumerate(accounts, 1)
            for tenant in ("acme", "globex")
        )
    )
    assert len(outbox(OPENED)) == 80
    assert {(t, str(a)) for t in ("acme", "globex") for a in accounts} == {
        (said.tenant, said.data["account_id"]) for said in outbox(OPENED)
    }


async def test_two_alerts_of_one_account_share_a_play_until_the_last_resolves(
    deliver: Any, alert: Any, admin: Any
) -> None:
    other = uuid7()
    await deliver(alert("opened", 1), alert("opened", 2, alert_id=other))
    await deliver(alert("resolved", 3))
    assert rows(admin) == [("open", None)]
    await deliver(alert("resolved", 4, alert_id=other))
    assert rows(admin) == [("closed", "alert-resolved")]


async def test_an_event_that_lacks_what_we_need_is_a_dead_letter_and_the_others_go_on(
    deliver: Any, alert: Any, mailbox: Any, outbox: Any, dead_letters: Any
) -> None:
    broken = mailbox.record("account-alerts", b'{"specversion": "1.0"}')
    assert await mailbox.process(broken) == 1
    await deliver(alert("opened", 1))
    assert (len(dead_letters()), len(outbox(OPENED))) == (1, 1)
