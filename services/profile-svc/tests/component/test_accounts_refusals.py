"""Every way in which a change of an account is refused: its code, its pointer, and that nothing happened."""

from typing import Any

import httpx
import pytest

NOBODY = "01890000-0000-7000-8000-000000000000"


def crm(number: int, **facts: Any) -> dict[str, Any]:
    return {"external_ids": [{"source": "crm", "external_id": str(number)}], **facts}


def codes(results: list[dict[str, Any]]) -> list[str]:
    return [result["problem"]["code"] if result["problem"] else result["status"] for result in results]


@pytest.mark.parametrize(
    ("code", "status", "pointer", "facts"),
    [
        ("name-missing", 422, "/name", {"name": None}),
        ("contract-out-of-order", 422, "/contract_end", {"contract_start": "2026-02-01", "contract_end": "2026-01-01"}),
        ("date-out-of-reach", 422, "/known_since", {"known_since": "2026-03-04T00:00:00Z"}),
        ("date-out-of-reach", 422, "/renewal_at", {"renewal_at": "2099-01-01T00:00:00Z"}),
        ("unknown-parent", 422, "/parent", {"parent": {"id": NOBODY}}),
        ("unknown-parent", 422, "/parent", {"parent": {"source": "crm", "external_id": "99"}}),
        ("parent-cycle", 409, "/parent", {"parent": {"source": "crm", "external_id": "1"}}),
        ("parent-cycle", 409, "/parent", {"parent": {"source": "crm", "external_id": "2"}}),
        ("external-id-taken", 409, "/external_ids", {"external_ids": [
            {"source": "crm", "external_id": "1"}, {"source": "crm", "external_id": "2"}]}),
    ],
)  # fmt: skip
async def test_a_broken_rule_has_its_code_in_bulk_and_patch(
    accounts: Any, outbox: Any, code: str, status: int, pointer: str, facts: dict[str, Any]
) -> None:
    one = await accounts.create(1)
    await accounts.create(2, parent={"id": one})
    if code != "name-missing":
        [result] = await accounts.post(crm(1) | facts)
        assert (result["status"], result["problem"]["code"]) == ("rejected", code)
        assert result["problem"]["errors"][0]["pointer"] == pointer
    answer = await accounts.change(one, 1, facts)
    expected = (422, "validation-failed") if code == "name-missing" else (status, code)
    assert (answer.status_code, answer.json()["code"]) == expected
    assert len(outbox()) == 2


async def test_an_account_gathers_a_hundred_external_ids_at_most(accounts: Any) -> None:
    await accounts.create(1)
    for first in range(0, 100, 20):
        more = [{"source": "erp", "external_id": str(n)} for n in range(first, first + 19)]
        [result] = await accounts.post({"external_ids": [*crm(1)["external_ids"], *more]})
        assert result["status"] == "updated"
    more = [{"source": "old", "external_id": str(n)} for n in range(19)]
    results = await accounts.post({"external_ids": [*crm(1)["external_ids"], *more]})
    assert codes(results) == ["too-many-external-ids"]


async def test_an_external_id_moves_only_after_its_account_gave_it_up(accounts: Any) -> None:
    one, two = await accounts.create(1), await accounts.create(2)
    wanted = {"external_ids": [{"source": "crm", "external_id": "1"}, {"source": "crm", "external_id": "2"}]}
    refused = await accounts.change(two, 1, wanted)
    assert (refused.status_code, refused.json()["code"]) == (409, "external-id-taken")
    assert (await accounts.change(one, 1, {"external_ids": []})).status_code == 200
    assert (await accounts.change(two, 1, wanted)).status_code == 200
    assert (await accounts.get("", source="crm", external_id="1")).json()["items"][0]["id"] == two


BAD = [
    ({"tier": "D"}, "/tier"),
    ({"name": ""}, "/name"),
    ({"name": "   "}, "/name"),
    ({"name": None}, "/name"),
    ({"name": "x" * 201}, "/name"),
    ({"status": None}, "/status"),
    ({"country": "Germany"}, "/country"),
    ({"currency": "XYZ"}, "/currency"),
    ({"cadence_days": 0}, "/cadence_days"),
    ({"cadence_days": "7"}, "/cadence_days"),
    ({"renewal_at": "2026-12-31T00:00:00"}, "/renewal_at"),
    ({"renewal_at": "9999-12-31T00:00:00Z"}, "/renewal_at"),
    ({"contract_start": "31.12.2026"}, "/contract_start"),
    ({"yearly_value": {"amount": "-1", "currency": "EUR"}}, "/yearly_value"),
    ({"whitespace": {"amount": "-0.01", "currency": "EUR"}}, "/whitespace"),
    ({"whitespace": {"amount": "1"}}, "/whitespace/currency"),
    ({"yearly_value": {"amount": 12.5, "currency": "EUR"}}, "/yearly_value/amount"),
    ({"owner": {"email": "nobody"}}, "/owner/email"),
    ({"email_domains": ["not a domain"]}, "/email_domains/0"),
    ({"parent": {}}, "/parent"),
    ({"parent": {"id": NOBODY, "source": "crm", "external_id": "1"}}, "/parent"),
    ({"parent": {"source": "crm"}}, "/parent"),
    ({"external_ids": [{"source": "Bad Source", "external_id": "1"}]}, "/external_ids/0/source"),
    ({"external_ids": [{"source": "crm", "external_id": str(n)} for n in range(21)]}, "/external_ids"),
    ({"id": NOBODY}, "/id"),
]


@pytest.mark.parametrize(("facts", "pointer"), BAD)
async def test_what_makes_no_sense_is_refused_with_a_pointer(
    accounts: Any, outbox: Any, facts: dict[str, Any], pointer: str
) -> None:
    [result] = await accounts.post({"name": "Acme"} | facts)
    assert (result["status"], result["problem"]["code"]) == ("rejected", "validation-failed")
    assert result["problem"]["errors"][0]["pointer"] == f"/items/0{pointer}"
    answer = await accounts.change(NOBODY, 1, facts)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
    assert outbox() == []


@pytest.mark.parametrize(("version", "status"), [(None, 428), (7, 412)])
async def test_a_write_without_the_current_etag_is_refused(
    accounts: Any, outbox: Any, version: int | None, status: int
) -> None:
    account_id = await accounts.create(1)
    answers = [
        await accounts.change(account_id, version, {"tier": "A"}),
        await accounts.remove(account_id, version),
        await accounts.appoint(account_id, version),
    ]
    assert [answer.status_code for answer in answers] == [status] * 3
    assert len(outbox()) == 1


async def test_an_account_that_is_not_there_or_another_tenants_is_unknown(accounts: Any, of_globex: Any) -> None:
    theirs = await of_globex.create(1)
    for account_id in (theirs, NOBODY):
        answers = [
            await accounts.get(f"/{account_id}"),
            await accounts.get(f"/{account_id}/children"),
            await accounts.change(account_id, 1, {"tier": "A"}),
            await accounts.remove(account_id, 1),
            await accounts.appoint(account_id, 1),
        ]
        assert [(a.status_code, a.json()["code"]) for a in answers] == [(404, "unknown-account")] * 5
    [refused] = await accounts.post({"name": "A", "parent": {"id": theirs}})
    assert refused["problem"]["code"] == "unknown-parent"


async def test_two_tenants_use_the_same_external_id_without_knowing_of_each_other(
    accounts: Any, of_globex: Any
) -> None:
    mine, theirs = await accounts.create(1), await of_globex.create(1)
    assert mine != theirs
    assert [mine] == [shown["id"] for shown in (await accounts.get("")).json()["items"]]


async def test_reading_and_writing_are_scopes_of_their_own(client: httpx.AsyncClient, auth: Any) -> None:
    read, write = auth("accounts:read"), auth("accounts:write")
    assert (await client.post("/v1/accounts", json={"name": "A"}, headers=read)).status_code == 403
    assert (await client.get("/v1/accounts", headers=write)).status_code == 403
