"""Bad requests at the running services: a problem with its stable code, and nothing is stored."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from pictures import rows
from stories import call, people
from tenants import Tenant

from bellwether.home import Home
from bellwether.tokens import TokenIssuer

pytestmark = pytest.mark.stack

NOBODY = "01890000-0000-7000-8000-000000000000"
MIB = 1024 * 1024
JSON = {"Content-Type": "application/json"}
Claims = dict[str, Any]


@dataclass(frozen=True)
class Bad:
    """One bad request and what it must be told."""

    name: str
    service: str
    route: str
    body: Any
    status: int
    code: str
    pointer: str | None = None
    method: str = "POST"
    headers: dict[str, str] = field(default_factory=dict)

    def sent_by(self, tenant: Tenant) -> httpx.Response:
        """The answer to it."""
        if self.body is None:
            return tenant.request(self.method, self.service, self.route, headers=self.headers)
        if isinstance(self.body, bytes):
            return tenant.request(self.method, self.service, self.route, content=self.body, headers=JSON | self.headers)
        return tenant.request(self.method, self.service, self.route, json=self.body, headers=self.headers)


TAKES_BODIES = (
    ("profile", "accounts"),
    ("stakeholder", "stakeholders"),
    ("metrics", "activities"),
    ("metrics", "evidence"),
    ("plan", "plans"),
    ("plan", "plays"),
)


def unreadable() -> Iterator[Bad]:
    """Bodies that no route takes, whatever they mean."""
    for service, route in TAKES_BODIES:
        yield Bad("malformed JSON", service, route, b'{"name": "Harbour"', 400, "malformed-json")
        yield Bad("NaN", service, route, b'{"magnitude": NaN}', 400, "non-finite-number")
        yield Bad("another encoding", service, route, '{"name": "Müller"}'.encode("latin-1"), 400, "invalid-encoding")
        yield Bad("10 MB", service, route, b'{"name": "' + b"x" * 10 * MIB + b'"}', 413, "body-too-large")
        yield Bad("nesting", service, route, b"[" * 50 + b"]" * 50, 413, "nesting-too-deep")
    for service, route in TAKES_BODIES[:4]:
        yield Bad("501 items", service, route, {"items": [{}] * 501}, 413, "too-many-items")
        yield Bad(
            "no JSON", service, route, b"a,b", 415, "unsupported-media-type", headers={"Content-Type": "text/csv"}
        )


def wrong(tenant: Tenant) -> Iterator[Bad]:
    """Bodies that can be read and mean nothing: one wrong thing each."""
    good = call("call-1", tenant.now, "no-answer")
    naive = tenant.now.replace(tzinfo=None).isoformat()
    later = (tenant.now + timedelta(days=4000)).isoformat()
    seen = {"kind": "advice-sought", "observed_at": tenant.now.isoformat(), "account": good["account"]}
    plan = {"account_id": NOBODY, "title": "Plan", "starts_on": "2026-04-01", "years": 1}
    invalid = 422, "validation-failed"
    yield Bad("type", "metrics", "activities", good | {"revision": "one"}, *invalid, "/revision")
    yield Bad("zone", "metrics", "activities", good | {"occurred_at": naive}, *invalid, "/occurred_at")
    yield Bad(
        "future", "metrics", "activities", good | {"occurred_at": later}, 422, "occurred-in-future", "/occurred_at"
    )
    yield Bad("unknown field", "metrics", "activities", good | {"mood": "bad"}, *invalid, "/mood")
    yield Bad("unknown type", "metrics", "activities", good | {"type": "fax"}, 422, "unknown-activity-type", "/type")
    yield Bad("zone", "metrics", "evidence", seen | {"observed_at": naive}, *invalid, "/observed_at")
    yield Bad("kind", "metrics", "evidence", seen | {"kind": "hunch"}, 422, "unknown-evidence-kind", "/kind")
    yield Bad("unknown field", "profile", "accounts", {"name": "Harbour", "mood": "bad"}, *invalid, "/mood")
    yield Bad("type", "profile", "accounts", {"name": 7}, *invalid, "/name")
    yield Bad("zone", "profile", "accounts", {"name": "Harbour", "renewal_at": naive}, *invalid, "/renewal_at")
    yield Bad("unknown field", "stakeholder", "stakeholders", people(NOBODY)[0] | {"age": 50}, *invalid, "/age")
    yield Bad("unknown account", "stakeholder", "stakeholders", people(NOBODY)[0], 404, "unknown-account")
    yield Bad("unknown account", "plan", "plans", plan, 404, "unknown-account")
    yield Bad("unknown field", "plan", "plans", plan | {"mood": "bad"}, *invalid, "/mood")
    yield Bad("unknown account", "scoring", f"accounts/{NOBODY}/health", None, 404, "unknown-account", method="GET")
    yield Bad("unknown account", "metrics", f"accounts/{NOBODY}/touch", None, 404, "unknown-account", method="GET")
    yield Bad("no id", "profile", "accounts/harbour", None, *invalid, "/account_id", method="GET")
    yield Bad("unknown filter", "scoring", "alerts?mood=bad", None, *invalid, "/mood", method="GET")
    yield Bad("limit", "profile", "accounts?limit=10000", None, *invalid, "/limit", method="GET")
    yield Bad("cursor", "metrics", "activities?cursor=e30", None, 400, "invalid-cursor", method="GET")
    yield Bad("nowhere", "plan", "crystal-ball", None, 404, "not-found", method="GET")
    yield Bad("method", "scoring", "alerts", None, 405, "method-not-allowed", method="DELETE")


def test_every_bad_request_is_told_what_is_wrong_and_stores_nothing(tenant: Tenant) -> None:
    before = rows(tenant)
    told = {
        f"{bad.service} {bad.route} {bad.name}": (said(bad.sent_by(tenant), bad.pointer), expected(bad))
        for bad in (*unreadable(), *wrong(tenant))
    }

    assert {name: got for name, (got, _) in told.items()} == {name: wanted for name, (_, wanted) in told.items()}
    assert rows(tenant) == before


def expected(bad: Bad) -> tuple[int, str, bool]:
    """What :func:`said` gives for the right answer."""
    return bad.status, bad.code, True


def said(answer: httpx.Response, pointer: str | None) -> tuple[int, str, bool]:
    """Status, code, and whether it points where it should; the only item's, where a bulk route answers 200."""
    body = answer.json()
    if answer.status_code == httpx.codes.OK:
        [item] = body["items"]
        assert (item["status"], item["id"]) == ("rejected", None)
        body = item["problem"]
    else:
        assert answer.headers["content-type"] == "application/problem+json"
        assert body["status"] == answer.status_code
    pointers = {error["pointer"] for error in body.get("errors") or []}
    return body["status"], body["code"], pointer is None or pointer in pointers


def expired(stack_home: Home, elsewhere: Home, tenant: str) -> str:
    """A token of our own that has run out."""
    return TokenIssuer(stack_home).token(tenant, ttl=-3600)


def forged(stack_home: Home, elsewhere: Home, tenant: str) -> str:
    """A token that somebody else's key signed under our key's name."""
    return TokenIssuer(elsewhere).token(tenant)


def unsigned(stack_home: Home, elsewhere: Home, tenant: str) -> str:
    """Our claims with no signature at all."""
    return jwt.encode(claims(stack_home, tenant), "", algorithm="none")


def signed_with_the_public_key(stack_home: Home, elsewhere: Home, tenant: str) -> str:
    """Our claims under a secret that everybody knows."""
    [key] = json.loads(stack_home.jwks.read_text())["keys"]
    return jwt.encode(claims(stack_home, tenant), key["x"], algorithm="HS256")


def for_somebody_else(stack_home: Home, elsewhere: Home, tenant: str) -> str:
    """A token with no scope for what is asked."""
    return TokenIssuer(stack_home).token(tenant, "nothing:read")


def claims(home: Home, tenant: str) -> Claims:
    """What a right token says."""
    return dict(jwt.decode(TokenIssuer(home).token(tenant), options={"verify_signature": False}))


@pytest.mark.parametrize(
    ("make", "status", "code"),
    [
        (expired, 401, "expired-token"),
        (forged, 401, "invalid-token"),
        (unsigned, 401, "invalid-token"),
        (signed_with_the_public_key, 401, "invalid-token"),
        (for_somebody_else, 403, "missing-scope"),
    ],
)
def test_a_token_that_is_not_right_opens_no_door(
    make: Callable[[Home, Home, str], str], status: int, code: str, tenant: Tenant, tmp_path: Path
) -> None:
    before = rows(tenant)
    token = make(tenant.stack.home, Home(tmp_path), tenant.name)
    headers = {"Authorization": f"Bearer {token}"}
    doors = [("POST", *door) for door in TAKES_BODIES] + [("GET", "scoring", "alerts"), ("GET", "scoring", "health")]

    answers = [
        tenant.request(method, service, route, headers=headers, json={} if method == "POST" else None)
        for method, service, route in doors
    ]

    assert {said(answer, None) for answer in answers} == {(status, code, True)}
    assert rows(tenant) == before


@pytest.mark.parametrize("header", [{"Authorization": ""}, {"Authorization": "Basic YTpi"}])
def test_without_a_token_no_door_opens(header: dict[str, str], tenant: Tenant) -> None:
    answers = [tenant.request("POST", *door, headers=header, json={}) for door in TAKES_BODIES]

    assert {said(answer, None) for answer in answers} == {(401, "missing-token", True)}
