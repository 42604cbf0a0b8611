"""Tokens: what is accepted, and every way in which one is not."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import jwt
import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from bellwether_kit.auth import ExpiredToken, Identity, InvalidToken, KeySet, KeysUnavailable, Verifier

EC_KEY = ec.generate_private_key(ec.SECP256R1())
ED_KEY = ed25519.Ed25519PrivateKey.generate()
RSA_KEY = rsa.generate_private_key(65_537, 2_048)


def jwks() -> dict[str, Any]:
    return {
        "keys": [
            {**ECAlgorithm.to_jwk(EC_KEY.public_key(), as_dict=True), "kid": "ec", "use": "sig"},
            {**OKPAlgorithm.to_jwk(ED_KEY.public_key(), as_dict=True), "kid": "ed"},
            {**RSAAlgorithm.to_jwk(RSA_KEY.public_key(), as_dict=True), "kid": "rsa", "alg": "RS256"},
            {**RSAAlgorithm.to_jwk(RSA_KEY.public_key(), as_dict=True), "kid": "wrap", "use": "enc"},
            {"kty": "oct", "k": base64.urlsafe_b64encode(b"secret" * 6).decode(), "kid": "shared", "alg": "HS256"},
        ]
    }


def claims(**changed: Any) -> dict[str, Any]:
    now = int(time.time())
    full = {
        "iss": "house",
        "aud": "api",
        "sub": "ana",
        "tenant": "acme",
        "scope": "a:read b:write",
        "exp": now + 300,
    } | changed
    return {name: value for name, value in full.items() if value is not None}


def token(key: Any = EC_KEY, alg: str = "ES256", kid: str | None = "ec", **changed: Any) -> str:
    headers = {} if kid is None else {"kid": kid}
    return jwt.encode(claims(**changed), key, algorithm=alg, headers=headers)


def publish(path: Path, *keys: dict[str, Any]) -> None:
    path.write_text(json.dumps({"keys": keys}))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "jwks.json"
    publish(file, *jwks()["keys"])
    return file


@pytest.fixture
def verifier(path: Path) -> Verifier:
    return Verifier(KeySet(str(path)), issuer="house", audience="api")


@pytest.mark.parametrize(
    ("key", "alg", "kid"), [(EC_KEY, "ES256", "ec"), (ED_KEY, "EdDSA", "ed"), (RSA_KEY, "RS256", "rsa")]
)
async def test_a_token_of_each_algorithm_names_its_caller(verifier: Verifier, key: Any, alg: str, kid: str) -> None:
    identity = await verifier.verify(token(key, alg, kid))
    assert ("acme", "ana", {"a:read", "b:write"}) == (identity.tenant, identity.subject, set(identity.scopes))


def unsigned() -> str:
    parts = [{"alg": "none", "typ": "JWT", "kid": "ec"}, claims()]
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts) + "."


def with_the_public_key_as_secret() -> str:
    """The classic: HS256 with the RSA public key for its secret, put together by hand because PyJWT refuses to."""
    pem = RSA_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    head, body = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")
        for part in ({"alg": "HS256", "typ": "JWT", "kid": "rsa"}, claims())
    )
    mac = base64.urlsafe_b64encode(hmac.digest(pem, head + b"." + body, hashlib.sha256)).rstrip(b"=")
    return b".".join((head, body, mac)).decode()


REFUSED = {
    "alg none": unsigned,
    "the public key as secret": with_the_public_key_as_secret,
    "a shared secret of the key set": lambda: token("secret" * 6, "HS256", "shared"),
    "an algorithm we do not take": lambda: token(RSA_KEY, "PS256", "rsa"),
    "RS384": lambda: token(RSA_KEY, "RS384", "rsa"),
    "a key for encryption": lambda: token(RSA_KEY, "RS256", "wrap"),
    "another key": lambda: token(ec.generate_private_key(ec.SECP256R1())),
    "an unknown key id": lambda: token(kid="nobody"),
    "no key id where there are many": lambda: token(kid=None),
    "the algorithm of another key": lambda: token(ED_KEY, "EdDSA", "ec"),
    "another issuer": lambda: token(iss="elsewhere"),
    "another audience": lambda: token(aud="other"),
    "no issuer": lambda: token(iss=None),
    "no audience": lambda: token(aud=None),
    "no expiry": lambda: token(exp=None),
    "no subject": lambda: token(sub=None),
    "a subject that is a number": lambda: token(sub=7),
    "an expiry that is a text": lambda: token(exp="soon"),
    "not valid yet": lambda: token(nbf=int(time.time()) + 3_600),
    "no tenant": lambda: token(tenant=None),
    "a tenant that is a number": lambda: token(tenant=7),
    "a tenant in capitals": lambda: token(tenant="ACME"),
    "a tenant with a line feed": lambda: token(tenant="acme\n"),
    "a tenant that is too long": lambda: token(tenant="a" * 64),
    "an empty tenant": lambda: token(tenant=""),
    "a list of scopes": lambda: token(scope=["a:read"]),
    "cut off": lambda: token()[:-5],
    "two dots": lambda: "..",
    "nothing": lambda: "",
    "not ASCII": lambda: "é.é.é",
    "a header that is no object": lambda: "W10.e30.AA",
    "too long": lambda: token(sub="x" * 9_000),
}


@pytest.mark.parametrize("make", REFUSED.values(), ids=REFUSED.keys())
async def test_a_token_that_is_not_ours_is_refused(verifier: Verifier, make: Any) -> None:
    with pytest.raises(InvalidToken):
        await verifier.verify(make())


async def test_an_expired_token_is_said_to_be_expired(verifier: Verifier) -> None:
    with pytest.raises(ExpiredToken):
        await verifier.verify(token(exp=int(time.time()) - 60))


async def test_a_token_that_is_remembered_is_still_refused_once_it_expires(
    verifier: Verifier,
) -> None:
    given = token(exp=int(time.time()) + 5)
    await verifier.verify(given)
    with time_machine.travel(time.time() + 16), pytest.raises(ExpiredToken):
        await verifier.verify(given)


async def test_a_single_key_needs_no_name(tmp_path: Path) -> None:
    path = tmp_path / "jwks.json"
    publish(path, jwks()["keys"][0])
    verifier = Verifier(KeySet(str(path)), issuer="house", audience="api")
    assert isinstance(await verifier.verify(token(kid=None)), Identity)


async def test_a_new_key_is_found_without_a_restart_and_an_old_one_goes(path: Path) -> None:
    verifier = Verifier(KeySet(str(path), pause=0), issuer="house", audience="api")
    fresh = ec.generate_private_key(ec.SECP256R1())
    await verifier.verify(token())
    publish(path, {**ECAlgorithm.to_jwk(fresh.public_key(), as_dict=True), "kid": "fresh"})
    await verifier.verify(token(fresh, kid="fresh"))
    with pytest.raises(InvalidToken):
        await verifier.verify(token(sub="somebody else"))


@pytest.mark.parametrize(
    "content", [None, "", "[]", "{}", '{"keys": []}', '{"keys": 7}', '{"keys": [{"kty": "oct", "k": "AA"}]}']
)
async def test_without_a_key_set_nobody_is_verified(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "jwks.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(KeysUnavailable):
        await KeySet(str(path)).key("ec")


class Publisher:
    """A web server that publishes the key set, and counts."""

    def __init__(self) -> None:
        self.asked = 0
        self.body = json.dumps(jwks()).encode()
        self.status = b"200 OK"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.asked += 1
        length = str(len(self.body)).encode()
        writer.write(b"HTTP/1.1 " + self.status + b"\r\nContent-Length: " + length + b"\r\nConnection: close\r\n\r\n")
        writer.write(self.body)
        await writer.drain()
        writer.close()
        await writer.wait_closed()


@asynccontextmanager
async def publishing(publisher: Publisher) -> AsyncIterator[str]:
    server = await asyncio.start_server(publisher.serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/jwks.json"


async def test_a_url_is_asked_once_and_unknown_keys_do_not_make_us_ask_on_and_on() -> None:
    publisher = Publisher()
    async with publishing(publisher) as url:
        verifier = Verifier(KeySet(url), issuer="house", audience="api")
        await asyncio.gather(*(verifier.verify(token(sub=str(n))) for n in range(20)))
        assert publisher.asked == 1
        for n in range(20):
            with pytest.raises(InvalidToken):
                await verifier.verify(token(kid=f"unknown-{n}"))
        assert publisher.asked == 1


async def test_while_the_url_is_away_the_keys_we_have_stay_good() -> None:
    publisher = Publisher()
    async with publishing(publisher) as url:
        keys = KeySet(url, pause=0)
        await keys.key("ec")
        publisher.status = b"500 Oops"
        with pytest.raises(InvalidToken):
            await keys.key("unknown")
        assert publisher.asked == 2
        assert (await keys.key("ec")).key_id == "ec"
