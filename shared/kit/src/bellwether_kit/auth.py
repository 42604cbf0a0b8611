"""Who is calling: bearer JWTs verified against a JWKS with fixed algorithms; it knows nothing of HTTP.

Expiry goes by the true time, never by the business clock: a replay must not keep old tokens alive.
"""

import asyncio
import re
import time
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import jwt
from jwt import PyJWK, PyJWKSet

ALGORITHMS = ("RS256", "ES256", "EdDSA")
"""All that is accepted. No symmetric one, so a public key can never be taken for a shared secret."""

TENANT = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
MAX_TOKEN_LENGTH = 8_192
LEEWAY_SECONDS = 10

_REFRESH_AFTER = 300.0
_REFRESH_PAUSE = 10.0
_FIRST_PAUSE = 1.0
_REMEMBER_SECONDS = 60.0
_REMEMBER_TOKENS = 4_096


class InvalidToken(Exception):
    """The token is not one of ours; the message says why and is safe to show."""


class ExpiredToken(InvalidToken):
    """The token was good once."""


class KeysUnavailable(Exception):
    """The key set can't be read, so nobody can be verified; the caller may try again."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A verified caller. ``expires`` is in seconds since 1970, of the true clock."""

    tenant: str
    subject: str
    scopes: frozenset[str]
    expires: float


class KeySet:
    """The signing keys at a path or URL, kept in memory.

    Read again after five minutes or when a key id is unknown, at most every ten seconds; while the source is
    away the keys we have stay good.
    """

    def __init__(self, source: str, *, pause: float = _REFRESH_PAUSE) -> None:
        self._source = source
        self._pause = pause
        self._keys: dict[str, PyJWK] = {}
        self._read_at = float("-inf")
        self._failure = ""
        self._lock = asyncio.Lock()

    async def key(self, kid: str | None) -> PyJWK:
        """Give the key named ``kid``; raises InvalidToken (there is none) or KeysUnavailable."""
        old = time.monotonic() - self._read_at > _REFRESH_AFTER
        if self._find(kid) is None or (old and not self._lock.locked()):
            await self._refresh()
        found = self._find(kid)
        if found is None:
            raise InvalidToken("the token is signed with a key we do not know")
        return found

    def _find(self, kid: str | None) -> PyJWK | None:
        if kid is None and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        return self._keys.get(kid or "")

    async def _refresh(self) -> None:
        async with self._lock:
            pause = self._pause if self._keys else min(self._pause, _FIRST_PAUSE)
            if time.monotonic() - self._read_at >= pause:
                await self._reload()
        if not self._keys:
            raise KeysUnavailable(f"the key set can't be read: {self._failure}")

    async def _reload(self) -> None:
        try:
            found = PyJWKSet.from_json(await self._read())
            self._keys = {key.key_id or "": key for key in found if _may_sign(key)}
            self._failure = "it holds no key that may sign"
        except (OSError, ValueError, AttributeError, httpx.HTTPError, jwt.PyJWTError) as error:
            self._failure = type(error).__name__
        self._read_at = time.monotonic()

    async def _read(self) -> str:
        if not self._source.startswith(("http://", "https://")):
            return await asyncio.to_thread(Path(self._source).read_text)
        async with httpx.AsyncClient(timeout=5) as client:
            answer = await client.get(self._source)
            return answer.raise_for_status().text


def _may_sign(key: PyJWK) -> bool:
    return key.algorithm_name in ALGORITHMS and key.public_key_use in (None, "sig")


class Verifier:
    """Turns tokens into identities; one that was verified is remembered for a minute, or until it expires."""

    def __init__(self, keys: KeySet, *, issuer: str, audience: str) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._known: OrderedDict[str, tuple[float, Identity]] = OrderedDict()

    async def verify(self, token: str) -> Identity:
        """Give the caller of ``token``; raises InvalidToken, ExpiredToken or KeysUnavailable."""
        remembered = self._known.get(token)
        if remembered is not None and remembered[0] > time.time():
            return remembered[1]
        identity = _identity(await self._claims(token))
        self._known[token] = (min(identity.expires, time.time() + _REMEMBER_SECONDS), identity)
        self._known.move_to_end(token)
        if len(self._known) > _REMEMBER_TOKENS:
            self._known.popitem(last=False)
        return identity

    async def _claims(self, token: str) -> dict[str, Any]:
        if len(token) > MAX_TOKEN_LENGTH:
            raise InvalidToken("the token is too long")
        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") not in ALGORITHMS:
                raise InvalidToken(f"tokens are signed with one of {', '.join(ALGORITHMS)}")
            kid = header.get("kid")
            key = await self._keys.key(kid if isinstance(kid, str) else None)
            return jwt.decode(
                token,
                key=key,
                algorithms=[key.algorithm_name],
                issuer=self._issuer,
                audience=self._audience,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except jwt.ExpiredSignatureError as error:
            raise ExpiredToken("the token has expired") from error
        except jwt.PyJWTError as error:
            raise InvalidToken(_reason(error)) from error
        except (ValueError, TypeError, OverflowError) as error:
            raise InvalidToken("the token is malformed") from error


def _reason(error: jwt.PyJWTError) -> str:
    reasons: dict[type[jwt.PyJWTError], str] = {
        jwt.InvalidSignatureError: "the token's signature is wrong",
        jwt.InvalidIssuerError: "the token is from another issuer",
        jwt.InvalidAudienceError: "the token is for another audience",
        jwt.ImmatureSignatureError: "the token is not valid yet",
        jwt.MissingRequiredClaimError: "the token lacks a claim: exp, iss, aud and sub are required",
        jwt.InvalidAlgorithmError: "the token's algorithm is not that of its key",
    }
    return reasons.get(type(error), "the token is malformed")


def _identity(claims: dict[str, Any]) -> Identity:
    tenant, scope = claims.get("tenant"), claims.get("scope", "")
    if not isinstance(tenant, str) or not TENANT.fullmatch(tenant):
        raise InvalidToken("the token names no valid tenant")
    if not isinstance(scope, str):
        raise InvalidToken("the token's scope is not a text")
    expires = float(claims["exp"]) + LEEWAY_SECONDS
    return Identity(tenant=tenant, subject=claims["sub"], scopes=frozenset(scope.split()), expires=expires)
