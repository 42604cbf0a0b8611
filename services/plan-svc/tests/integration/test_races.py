"""What happens at the same moment ends as if it had happened one after the other."""

import asyncio
from typing import Any
from uuid import UUID

import httpx
import pytest
from psycopg.errors import UniqueViolation

from bellwether_kit.ids import uuid7

pytestmark = pytest.mark.usefixtures("known")


async def test_of_many_who_open_the_same_play_one_does(
    client: httpx.AsyncClient, writer: dict[str, str], account_id: UUID, outbox: Any
) -> None:
    body = {"account_id": str(account_id), "play": "grow-account"}
    answers = await asyncio.gather(*(client.post("/v1/plays", json=body, headers=writer) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]
    assert len(outbox("account.play.opened.v1")) == 1


async def test_an_alert_and_a_person_open_one_play_between_them(
    client: httpx.AsyncClient, writer: dict[str, str], account_id: UUID, deliver: Any, alert: Any, admin: Any
) -> None:
    body = {"account_id": str(account_id), "play": "recover-relationship"}
    answer, _ = await asyncio.gather(client.post("/v1/plays", json=body, headers=writer), deliver(alert("opened", 1)))
    assert answer.status_code in {201, 409}
    assert [row.status for row in admin("SELECT status FROM play")] == ["open"]


async def test_two_changes_that_would_close_a_circle_do_not_both_pass(
    client: httpx.AsyncClient, writer: dict[str, str], account_id: UUID
) -> None:
    plan = {"account_id": str(account_id), "title": "Plan", "starts_on": "2026-04-01", "years": 1}
    plan_id = (await client.post("/v1/plans", json=plan, headers=writer)).json()["id"]
    person = {"id": str(uuid7())}
    body = {"title": "A", "due_on": "2026-05-01", "accountable": person, "responsible": [person]}
    a, b = [
        (await client.post(f"/v1/plans/{plan_id}/actions", json=body, headers=writer)).json()["id"] for _ in range(2)
    ]
    headers = writer | {"If-Match": '"1"'}
    answers = await asyncio.gather(
        client.patch(f"/v1/actions/{a}", json={"depends_on": [b]}, headers=headers),
        client.patch(f"/v1/actions/{b}", json={"depends_on": [a]}, headers=headers),
    )
    assert sorted(answer.status_code for answer in answers) == [200, 422]


async def test_the_database_itself_refuses_a_second_open_play(
    client: httpx.AsyncClient, writer: dict[str, str], account_id: UUID, admin: Any
) -> None:
    body = {"account_id": str(account_id), "play": "grow-account"}
    await client.post("/v1/plays", json=body, headers=writer)
    columns = [
        row.column_name
        for row in admin("SELECT column_name FROM information_schema.columns WHERE table_name = 'play'")
        if row.column_name != "play_id"
    ]
    names = ", ".join(columns)
    with pytest.raises(UniqueViolation, match="play_one_open"):
        admin(f"INSERT INTO play (play_id, {names}) SELECT gen_random_uuid(), {names} FROM play")
