"""Tokens for tests: a key pair of this session, its JWKS file, and JWTs signed with it."""

import json
import time
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import OKPAlgorithm


class TokenMint:
    """Signs tokens; ``jwks`` is the file an API verifies them with."""

    issuer = "bellwether-local"
    audience = "bellwether"

    def __init__(self, folder: Path) -> None:
        self.key = Ed25519PrivateKey.generate()
        public = json.loads(OKPAlgorithm.to_jwk(self.key.public_key()))
        self.jwks = folder / "jwks.json"
        self.jwks.write_text(json.dumps({"keys": [public | {"kid": "test", "alg": "EdDSA", "use": "sig"}]}))

    def token(self, scopes: str, tenant: str = "acme", **claims: Any) -> str:
        """A token of ``tenant`` with ``scopes`` for an hour; ``claims`` override what it says."""
        now = int(time.time())
        said = {
            "iss": self.issuer,
            "aud": self.audience,
            "sub": "tester",
            "tenant": tenant,
            "scope": scopes,
            "iat": now,
            "exp": now + 3_600,
        }
        return jwt.encode(said | claims, self.key, algorithm="EdDSA", headers={"kid": "test"})
