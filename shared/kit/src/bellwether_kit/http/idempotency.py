"""``Idempotency-Key``: the first answer to a request is stored with its effects, and repeats get that answer.

Scoped to tenant and route, kept 72 hours by the unit's clock. Of two at once one works, the other must wait.
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b, sha256

import msgspec
from sqlalchemy import text
from starlette.requests import Request
from starlette.responses import Response

from bellwether_kit.db import UnitOfWork
from bellwether_kit.http.problems import ProblemError

KEPT = timedelta(hours=72)
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_NOT_KEPT = frozenset({"content-length"})

_LOCK = text("SELECT pg_try_advisory_xact_lock(:lock)")
_FIND = text("""
    SELECT request_hash, status, headers, body FROM idempotency
    WHERE tenant = :tenant AND route = :route AND key = :key AND created_at > :kept_since
""")
_STORE = text("""
    INSERT INTO idempotency (tenant, route, key, request_hash, status, headers, body, created_at)
    VALUES (:tenant, :route, :key, :request_hash, :status, CAST(:headers AS jsonb), :body, :now)
    ON CONFLICT (tenant, route, key) DO UPDATE
    SET request_hash = EXCLUDED.request_hash, status = EXCLUDED.status, headers = EXCLUDED.headers,
        body = EXCLUDED.body, created_at = EXCLUDED.created_at
""")


@dataclass(frozen=True, slots=True)
class KeyedRequest:
    """A request that says how to recognise its repeats."""

    route: str
    key: str
    request_hash: str


async def keyed(request: Request) -> KeyedRequest | None:
    """Read the key and digest the request; None without a key, a 400 problem for one we can't keep."""
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    if not _KEY.fullmatch(key):
        detail = "An Idempotency-Key has 1 to 255 printable ASCII characters and no spaces."
        raise ProblemError(400, "invalid-idempotency-key", detail)
    route = request.scope["route"].path_format
    digest = sha256(request.scope["path"].encode() + b"\0" + request.scope["query_string"] + b"\0")
    digest.update(await request.body())
    return KeyedRequest(route=f"{request.method} {route}", key=key, request_hash=digest.hexdigest())


async def claim(uow: UnitOfWork, tenant: str, request: KeyedRequest) -> Response | None:
    """Hold the key until the transaction ends; give the stored answer if there is one.

    Raises the 409 problem while another request holds it and the 422 problem when it was another request.
    """
    name = f"{tenant}\0{request.route}\0{request.key}".encode()
    lock = int.from_bytes(blake2b(name, digest_size=8).digest(), signed=True)
    # Two statements: the look must see what was committed by whoever held the lock before.
    if not (await uow.session.execute(_LOCK, {"lock": lock})).scalar_one():
        detail = "A request with this Idempotency-Key is being worked on."
        raise ProblemError(409, "request-in-flight", detail, headers={"Retry-After": "1"})
    where = {"tenant": tenant, "route": request.route, "key": request.key, "kept_since": uow.now - KEPT}
    row = (await uow.session.execute(_FIND, where)).one_or_none()
    if row is None:
        return None
    if row.request_hash != request.request_hash:
        detail = "This Idempotency-Key was used for another request."
        raise ProblemError(422, "idempotency-key-reused", detail)
    headers = {**row.headers, "Idempotency-Replayed": "true"}
    return Response(bytes(row.body), row.status, headers=headers)


async def store(uow: UnitOfWork, tenant: str, request: KeyedRequest, response: Response) -> None:
    """Keep ``response`` for repeats, in the transaction that has its effects."""
    headers = {name: value for name, value in response.headers.items() if name not in _NOT_KEPT}
    row = {
        "tenant": tenant,
        "route": request.route,
        "key": request.key,
        "request_hash": request.request_hash,
        "status": response.status_code,
        "headers": msgspec.json.encode(headers).decode(),
        "body": bytes(response.body),
        "now": uow.now,
    }
    await uow.session.execute(_STORE, row)
