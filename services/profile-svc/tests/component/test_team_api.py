"""Account teams as callers appoint them."""

from typing import Any

import pytest

ANA = {"role": "chief-of-relationships", "email": "Ana@example.com"}
BO = {"role": "devils-advocate", "email": "bo@example.com"}


async def test_a_team_is_replaced_as_a_whole_and_moves_the_etag(accounts: Any, outbox: Any) -> None:
    account_id = await accounts.create(1)
    assert (await accounts.appoint(account_id, 1, ANA, BO)).headers["etag"] == '"2"'
    assert (await accounts.appoint(account_id, 2, BO)).headers["etag"] == '"3"'
    shown = (await accounts.get(f"/{account_id}")).json()
    assert [(m["role"], m["email"]) for m in shown["team"]] == [("devils-advocate", "bo@example.com")]
    assert [event.sequence for event in outbox()] == [1, 2, 3]


async def test_the_same_team_again_changes_nothing(accounts: Any, outbox: Any) -> None:
    account_id = await accounts.create(1)
    await accounts.appoint(account_id, 1, ANA)
    answer = await accounts.appoint(account_id, 2, ANA, ANA | {"email": "ana@example.com"})
    assert (answer.json()["status"], answer.headers["etag"]) == ("unchanged", '"2"')
    assert len(outbox()) == 2


@pytest.mark.parametrize(
    "member", [{"role": "boss", "email": "a@b.example"}, {"role": "business-driver"}, ANA | {"x": 1}]
)
async def test_a_member_that_makes_no_sense_is_refused(accounts: Any, member: dict[str, Any]) -> None:
    account_id = await accounts.create(1)
    assert (await accounts.appoint(account_id, 1, member)).status_code == 422
