"""What happens at the same moment ends as if it had happened one after the other."""

import asyncio
from typing import Any
from uuid import UUID

import httpx
import pytest
from psycopg.errors import CheckViolation

pytestmark = pytest.mark.usefixtures("known")


async def test_the_same_person_posted_at_once_is_made_once(put: Any, outbox: Any) -> None:
    robin = {"name": "Robin", "external_ids": [{"source": "crm", "external_id": "4"}]}
    results = await asyncio.gather(*(put(robin) for _ in range(5)))
    assert ["created", *["unchanged"] * 4] == sorted(result[0]["status"] for result in results)
    assert len(outbox("stakeholder.profile.changed.v1")) == 1


async def test_two_changes_that_would_close_a_circle_do_not_both_pass(
    client: httpx.AsyncClient, writer: dict[str, str], put: Any
) -> None:
    a, b = await put({"name": "A"}, {"name": "B"})
    headers = writer | {"If-Match": '"1"'}
    answers = await asyncio.gather(
        client.patch(f"/v1/stakeholders/{a['id']}", json={"reports_to": {"id": b["id"]}}, headers=headers),
        client.patch(f"/v1/stakeholders/{b['id']}", json={"reports_to": {"id": a["id"]}}, headers=headers),
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]


async def test_nobody_is_left_at_an_account_that_goes_while_they_are_posted(
    put: Any, deliver: Any, account: Any, admin: Any
) -> None:
    posts = [put({"name": f"Person {n}"}) for n in range(4)]
    await asyncio.gather(*posts[:2], deliver(account(removed=True, version=2)), *posts[2:])
    assert admin("SELECT 1 FROM person") == []


async def test_coverage_last_said_is_the_coverage_of_all_who_were_posted_at_once(
    put: Any, outbox: Any, account_id: UUID, admin: Any
) -> None:
    roles = ("economic", "technical", "user", "sponsor")
    await asyncio.gather(*(put({"name": role, "decision_roles": [role]}) for role in roles))
    last = outbox("stakeholder.coverage.changed.v1")[-1]
    assert (last.data["missing_roles"], last.data["people"]) == ([], 4)


async def test_the_database_itself_refuses_half_a_grid(put: Any, admin: Any) -> None:
    await put({"name": "Kim"})
    with pytest.raises(CheckViolation, match="person_grid"):
        admin("UPDATE person SET power = 3")
