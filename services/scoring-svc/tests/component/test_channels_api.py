"""Channels: what they are made of, what is kept of their secrets, and where they may not lead."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from bellwether_kit.clock import FixedClock
from bellwether_kit.testing.service import ServiceUnderTest

HOOK = {"name": "hook", "kind": "webhook", "url": "https://93.184.216.34/hook", "reason": "tell our desk"}
CHAT = {"name": "chat", "kind": "slack", "url": "https://93.184.216.34/services/T0/B0/sesame", "reason": "tell us"}
NOBODY = UUID(int=7)


class Admin:
    """An administrator of a tenant."""

    def __init__(self, client: httpx.AsyncClient, headers: dict[str, str]) -> None:
        self.client, self.headers = client, headers

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        return await self.client.request(method, f"/v1{path}", json=body, headers=self.headers | headers)

    async def made(self, body: dict[str, Any]) -> dict[str, Any]:
        answer = await self.ask("POST", "/channels", body)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def listed(self) -> list[dict[str, Any]]:
        return list((await self.ask("GET", "/channels")).json()["items"])


@pytest.fixture
def admin(client: httpx.AsyncClient, auth: Callable[..., dict[str, str]]) -> Admin:
    return Admin(client, auth("alerts:admin"))


@pytest.fixture
async def settled(
    service: ServiceUnderTest, settings_as: Callable[..., Any], clock: FixedClock, auth: Callable[..., dict[str, str]]
) -> Any:
    """An administrator of an installation that has neither key nor mail server and keeps out of private networks."""
    app: FastAPI = service.create_app(
        settings_as("api", secret_keys=None, mail_server=None, private_channels=False), clock=clock
    )
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://t") as client:
        yield Admin(client, auth("alerts:admin"))


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def test_a_secret_that_we_make_is_shown_once_and_kept_sealed(admin: Admin, mailbox: Any) -> None:
    made = await admin.made(HOOK)
    assert made["secret"].startswith("whsec_")
    seen = (await admin.ask("GET", f"/channels/{made['id']}")).json()
    assert (seen["address"], seen["reason"], len(seen["secrets"])) == (HOOK["url"], HOOK["reason"], 1)
    assert made["secret"] not in str(await admin.listed())
    [kept] = mailbox.admin("SELECT sealed FROM channel_secret")
    assert made["secret"].encode() not in bytes(kept.sealed)


async def test_of_a_chat_only_the_host_is_shown(admin: Admin) -> None:
    made = await admin.made(CHAT)
    assert (made["address"], made["secret"], len(made["secrets"])) == ("93.184.216.34", None, 1)
    assert "sesame" not in str(await admin.listed())


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({**HOOK, "url": None}, (422, "unfit-channel")),
        ({**HOOK, "url": "ftp://93.184.216.34/x"}, (422, "unfit-channel")),
        ({**HOOK, "url": "https://user:pass@93.184.216.34/x"}, (422, "unfit-channel")),
        ({**HOOK, "url": "https://[::1"}, (422, "unfit-channel")),
        ({**HOOK, "url": "https://no-such-host.invalid/x"}, (422, "address-refused")),
        ({**HOOK, "url": "https://169.254.169.254/latest/meta-data"}, (422, "address-refused")),
        ({**HOOK, "secret": "not-base64!"}, (422, "unfit-channel")),
        ({**HOOK, "recipients": ["ana@example.com"]}, (422, "validation-failed")),
        ({"name": "p", "kind": "pagerduty", "reason": "on call"}, (422, "unfit-channel")),
        ({"name": "m", "kind": "email", "reason": "mail"}, (422, "validation-failed")),
        ({**HOOK, "reason": " "}, (422, "validation-failed")),
    ],
)
async def test_what_can_be_no_channel_is_refused(admin: Admin, body: dict[str, Any], expected: tuple[int, str]) -> None:
    assert code(await admin.ask("POST", "/channels", body)) == expected
    assert await admin.listed() == []


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/x",
        "https://localhost/x",
        "https://10.0.0.1/x",
        "https://[::ffff:192.168.0.1]/x",
        "https://2130706433/x",
    ],
)
async def test_private_networks_are_out_of_reach_unless_the_installation_allows_them(settled: Admin, url: str) -> None:
    assert code(await settled.ask("POST", "/channels", {**CHAT, "url": url})) == (422, "address-refused")
    http = await settled.ask("POST", "/channels", {**CHAT, "url": "http://93.184.216.34/x"})
    assert code(http) == (422, "unfit-channel")
    assert await settled.listed() == []


async def test_without_key_or_mail_server_there_are_no_such_channels(settled: Admin) -> None:
    assert code(await settled.ask("POST", "/channels", HOOK)) == (409, "no-secret-key")
    mail = {"name": "mail", "kind": "email", "recipients": ["ana@example.com"], "reason": "mail"}
    assert code(await settled.ask("POST", "/channels", mail)) == (409, "no-mail-server")
    assert await settled.listed() == []


async def test_a_channel_is_changed_with_a_reason_and_never_over_a_newer_form(admin: Admin) -> None:
    path = f"/channels/{(await admin.made(HOOK))['id']}"
    await admin.made(CHAT)
    answer = await admin.ask("PATCH", path, {"disabled": True, "reason": "moving house"}, **{"If-Match": '"1"'})
    assert (answer.json()["reason"], answer.json()["disabled_at"] is None) == ("moving house", False)
    late = await admin.ask("PATCH", path, {"disabled": False, "reason": "x"}, **{"If-Match": '"1"'})
    assert late.status_code == 412
    assert code(await admin.ask("PATCH", path, {"name": "chat", "reason": "x"})) == (409, "channel-name-taken")
    unfit = await admin.ask("PATCH", path, {"recipients": ["ana@example.com"], "reason": "x"})
    assert code(unfit) == (422, "unfit-channel")
    seen = (await admin.ask("GET", path)).json()
    assert (seen["name"], seen["reason"], seen["disabled_at"] is None) == ("hook", "moving house", False)


async def test_a_name_is_free_again_once_its_channel_is_removed(admin: Admin, mailbox: Any) -> None:
    made = await admin.made(HOOK)
    assert code(await admin.ask("POST", "/channels", HOOK)) == (409, "channel-name-taken")
    assert (await admin.ask("DELETE", f"/channels/{made['id']}")).status_code == 422
    gone = await admin.ask("DELETE", f"/channels/{made['id']}?reason=unused")
    assert gone.status_code == 204
    assert mailbox.admin("SELECT 1 FROM channel_secret") == []
    assert code(await admin.ask("GET", f"/channels/{made['id']}")) == (404, "unknown-channel")
    assert (await admin.made(HOOK))["name"] == "hook"


async def test_two_secrets_are_live_at_most(admin: Admin) -> None:
    made = await admin.made(HOOK)
    path = f"/channels/{made['id']}/secrets"
    second = (await admin.ask("POST", path, {})).json()
    assert second["secret"].startswith("whsec_")
    assert code(await admin.ask("POST", path, {})) == (409, "too-many-secrets")
    assert (await admin.ask("DELETE", f"{path}/{made['secrets'][0]['id']}")).status_code == 204
    assert code(await admin.ask("DELETE", f"{path}/{made['secrets'][0]['id']}")) == (404, "unknown-secret")
    [left] = (await admin.ask("GET", f"/channels/{made['id']}")).json()["secrets"]
    assert left["id"] == second["id"]


async def test_the_next_address_of_a_chat_is_checked_like_the_first(admin: Admin) -> None:
    path = f"/channels/{(await admin.made(CHAT))['id']}/secrets"
    assert code(await admin.ask("POST", path, {})) == (422, "unfit-channel")
    assert code(await admin.ask("POST", path, {"secret": "https://169.254.1.1/x"})) == (422, "address-refused")
    answer = await admin.ask("POST", path, {"secret": "https://93.184.216.34/next"})
    assert (answer.status_code, answer.json()["secret"]) == (201, None)


@pytest.mark.parametrize("act", ["GET", "PATCH", "DELETE", "POST"])
async def test_another_tenants_channel_is_unknown(
    admin: Admin, client: httpx.AsyncClient, auth: Callable[..., dict[str, str]], act: str
) -> None:
    made = await admin.made(HOOK)
    other = Admin(client, auth("alerts:admin", tenant="globex"))
    path = f"/channels/{made['id']}"
    bodies = {"PATCH": {"disabled": True, "reason": "x"}, "POST": {}}
    tail = {"DELETE": "?reason=x", "POST": "/secrets"}.get(act, "")
    assert code(await other.ask(act, path + tail, bodies.get(act))) == (404, "unknown-channel")
    assert await other.listed() == []
    [seen] = await admin.listed()
    assert (seen["disabled_at"], len(seen["secrets"])) == (None, 1)


async def test_reading_channels_does_not_let_one_change_them(
    client: httpx.AsyncClient, auth: Callable[..., dict[str, str]]
) -> None:
    reader = Admin(client, auth("alerts:read alerts:write"))
    assert (await reader.ask("GET", "/channels")).status_code == 200
    assert (await reader.ask("POST", "/channels", HOOK)).status_code == 403
