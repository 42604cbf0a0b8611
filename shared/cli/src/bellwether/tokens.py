"""Tokens for the local stack: an Ed25519 key made once per home, its public half as JWKS, and what it signs."""

import json
import time
from dataclasses import dataclass
from typing import Annotated

import jwt
import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from jwt.algorithms import OKPAlgorithm

from bellwether.home import Home, write_private

ISSUER = "bellwether-local"
AUDIENCE = "bellwether"
AREAS = ("accounts", "stakeholders", "evidence", "health", "alerts", "plans")
EVERY_SCOPE = " ".join(
    [f"{area}:{verb}" for area in AREAS for verb in ("read", "write", "admin")] + ["evidence:ingest"]
)
KEY_ID = "local"


@dataclass(frozen=True)
class TokenIssuer:
    """Signs what the services of this home believe; never part of a deployment."""

    home: Home

    def token(self, tenant: str, scope: str = EVERY_SCOPE, *, subject: str = "local", ttl: float = 3600) -> str:
        """A bearer token; `ttl` in seconds of the true clock (negative gives an expired one, for tests)."""
        now = int(time.time())
        claims: dict[str, object] = {"iss": ISSUER, "aud": AUDIENCE, "sub": subject, "tenant": tenant, "scope": scope}
        claims |= {"iat": now, "exp": now + int(ttl)}
        return jwt.encode(claims, self._key(), algorithm="EdDSA", headers={"kid": KEY_ID})

    def publish(self) -> None:
        """Write the key set that the services verify with."""
        public = OKPAlgorithm.to_jwk(self._key().public_key(), as_dict=True)
        key = public | {"kid": KEY_ID, "use": "sig", "alg": "EdDSA"}
        write_private(self.home.jwks, json.dumps({"keys": [key]}, indent=2).encode())

    def _key(self) -> Ed25519PrivateKey:
        path = self.home.path / "signing-key.pem"
        if not path.exists():
            fresh = Ed25519PrivateKey.generate()
            write_private(path, fresh.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        key = load_pem_private_key(path.read_bytes(), password=None)
        assert isinstance(key, Ed25519PrivateKey)
        return key


def token(
    tenant: Annotated[str, typer.Option(help="The tenant the token speaks for, a slug like `acme`.")],
    scope: Annotated[str, typer.Option(help="Scopes, separated by spaces.")] = EVERY_SCOPE,
    subject: Annotated[str, typer.Option(help="Who acts: the claim `sub`.")] = "local",
    ttl: Annotated[float, typer.Option(help="Seconds until it expires.")] = 3600,
) -> None:
    """Print a bearer token that the local stack's services accept."""
    home = Home.found()
    issuer = TokenIssuer(home)
    issuer.publish()
    typer.echo(issuer.token(tenant, scope, subject=subject, ttl=ttl))
