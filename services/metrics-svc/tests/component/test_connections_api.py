"""Connecting source systems: who may, what is kept of secrets, and who learns of them."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx
import pytest
from pydantic import SecretStr, ValidationError

from bellwether_kit.clock import FixedClock
from bellwether_kit.settings import ServiceSettings
from bellwether_kit.testing.service import Mailbox, ServiceUnderTest

GIVEN = "given-by-the-source-system"
NOBODY = UUID(int=7)


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def test_a_connection_says_where_to_deliver_and_never_its_secret(crm: Any) -> None:
    crm_side = await crm.connect("cloudevents", secret=GIVEN, own_domains=["Ours.Example", "ours.example"])
    seen = await crm.get(crm_side.path)
    assert (seen["adapter"], seen["source"], seen["own_domains"]) == ("cloudevents", "crm", ["ours.example"])
    assert seen["address"] == f"/v1/inbound/cloudevents?connection={seen['id']}"
    assert [secret["id"] for secret in seen["secrets"]] == [crm_side.secret_id]
    assert [seen] == (await crm.get("/v1/connections"))["items"]
    assert GIVEN not in str(seen)


async def test_a_secret_is_kept_sealed_and_a_key_as_a_digest(crm: Any, mailbox: Mailbox) -> None:
    signing, keyed = await crm.connect("cloudevents", secret=GIVEN), await crm.connect("csv")
    rows = mailbox.admin("SELECT sealed, digest FROM connection_secret ORDER BY secret_id")
    kept = [bytes(part) for row in rows for part in row if part is not None]
    assert [len(part) > 0 for part in kept] == [True, True]
    assert not any(secret.encode() in part for part in kept for secret in (signing.secret, keyed.secret))
    assert ([row.sealed is None for row in rows], [row.digest is None for row in rows]) == (
        [False, True],
        [True, False],
    )


async def test_a_secret_we_make_is_shown_once_and_one_that_was_given_never(crm: Any) -> None:
    made = await crm.connect("cloudevents")
    assert made.secret.startswith("whsec_")
    answer = await crm.client.post(f"{made.path}/secrets", json={"secret": GIVEN}, headers=crm.headers)
    assert answer.json()["secret"] is None
    assert (await crm.connect("csv")).secret.startswith("bwk_")


async def test_an_answer_with_a_secret_is_kept_nowhere(crm: Any, mailbox: Mailbox) -> None:
    made = await crm.connect("cloudevents")
    headers = crm.headers | {"Idempotency-Key": "once"}
    answer = await crm.client.post(f"{made.path}/secrets", json={}, headers=headers)
    assert answer.status_code == 201
    assert mailbox.admin("SELECT * FROM idempotency") == []


async def test_two_secrets_live_at_once_and_a_third_has_to_wait(crm: Any) -> None:
    made = await crm.connect("cloudevents")
    again = [await crm.client.post(f"{made.path}/secrets", json={}, headers=crm.headers) for _ in range(2)]
    assert again[0].status_code == 201
    assert code(again[1]) == (409, "too-many-secrets")
    gone = await crm.client.delete(f"{made.path}/secrets/{made.secret_id}", headers=crm.headers)
    assert gone.status_code == 204
    assert [again[0].json()["id"]] == [secret["id"] for secret in (await crm.get(made.path))["secrets"]]
    assert code(await crm.client.delete(f"{made.path}/secrets/{made.secret_id}", headers=crm.headers)) == (
        404,
        "unknown-secret",
    )


async def test_an_ingest_key_is_ours_to_make(crm: Any) -> None:
    made = await crm.connect("csv")
    answer = await crm.client.post(f"{made.path}/secrets", json={"secret": "password"}, headers=crm.headers)
    assert code(answer) == (422, "key-not-ours")
    assert answer.json()["errors"][0]["pointer"] == "/secret"


async def test_a_connection_is_switched_off_and_on_and_told_other_domains(crm: Any) -> None:
    made = await crm.connect("cloudevents", own_domains=["ours.example"])
    off = await crm.client.patch(made.path, json={"disabled": True}, headers=crm.headers | {"If-Match": '"1"'})
    assert (off.json()["disabled_at"] is not None, off.json()["own_domains"]) == (True, ["ours.example"])
    stale = await crm.client.patch(made.path, json={"disabled": False}, headers=crm.headers | {"If-Match": '"1"'})
    assert stale.status_code == 412
    on = await crm.client.patch(made.path, json={"disabled": False, "own_domains": []}, headers=crm.headers)
    assert (on.json()["disabled_at"], on.json()["own_domains"], on.headers["etag"]) == (None, [], '"3"')


async def test_a_connection_that_is_removed_is_gone_with_all_it_had(crm: Any, mailbox: Mailbox) -> None:
    made = await crm.connect("cloudevents")
    assert (await crm.client.delete(made.path, headers=crm.headers)).status_code == 204
    assert mailbox.admin("SELECT * FROM connection_secret") == []
    assert code(await crm.client.delete(made.path, headers=crm.headers)) == (404, "unknown-connection")


@pytest.mark.parametrize(
    ("changed", "status", "pointer"),
    [
        ({"adapter": "carrier-pigeon"}, 422, "/adapter"),
        ({"source": ""}, 422, "/source"),
        ({"source": " "}, 422, "/source"),
        ({"own_domains": ["ana@ours.example"]}, 422, "/own_domains/0"),
    ],
)
async def test_a_connection_that_means_nothing_is_refused(
    crm: Any, changed: dict[str, Any], status: int, pointer: str
) -> None:
    body = {"adapter": "cloudevents", "source": "crm"} | changed
    answer = await crm.client.post("/v1/connections", json=body, headers=crm.headers)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (status, pointer)
    assert (await crm.get("/v1/connections"))["items"] == []


async def test_another_tenants_connection_does_not_exist(crm: Any, of_globex: Any) -> None:
    made = await crm.connect("cloudevents")
    for method, path, body in (
        ("GET", made.path, None),
        ("PATCH", made.path, {"disabled": True}),
        ("DELETE", made.path, None),
        ("POST", f"{made.path}/secrets", {}),
        ("DELETE", f"{made.path}/secrets/{made.secret_id}", None),
    ):
        answer = await of_globex.client.request(method, path, json=body, headers=of_globex.headers)
        assert code(answer) == (404, "unknown-connection"), method
    assert (await of_globex.get("/v1/connections"))["items"] == []


async def test_only_an_administrator_connects(crm: Any, auth: Callable[..., dict[str, str]]) -> None:
    body = {"adapter": "cloudevents", "source": "crm"}
    answer = await crm.client.post("/v1/connections", json=body, headers=auth("evidence:write evidence:ingest"))
    assert code(answer) == (403, "missing-scope")


async def test_connections_are_listed_page_by_page(crm: Any) -> None:
    ids = [(await crm.connect("cloudevents")).path.rpartition("/")[2] for _ in range(3)]
    first = await crm.get("/v1/connections", limit=2)
    second = await crm.get("/v1/connections", limit=2, cursor=first["next_cursor"])
    assert ids == [item["id"] for item in (*first["items"], *second["items"])]


async def test_the_adapters_are_listed_with_whether_they_sign(crm: Any) -> None:
    signs = {item["name"]: item["signs"] for item in (await crm.get("/v1/adapters"))["items"]}
    assert (signs["cloudevents"], signs["csv"]) == (True, False)


async def test_without_a_key_to_seal_with_no_secret_is_taken(
    crm: Any, settings_as: Callable[..., ServiceSettings], service: ServiceUnderTest, clock: FixedClock
) -> None:
    made = await crm.connect("cloudevents")
    app = service.create_app(settings_as("api"), clock=clock)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test") as client,
    ):
        answer = await client.post(f"{made.path}/secrets", json={}, headers=crm.headers)
    assert code(answer) == (409, "no-secret-key")
    assert "BELLWETHER_METRICS_SECRET_KEYS" in answer.json()["detail"]


def test_a_key_that_can_seal_nothing_keeps_the_process_from_starting(
    settings_as: Callable[..., ServiceSettings],
) -> None:
    with pytest.raises(ValidationError, match="secret_keys"):
        settings_as("api", secret_keys=SecretStr("too short"))
