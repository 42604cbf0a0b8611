"""Local tokens are what the kit's verifier believes, and nothing else is."""

from pathlib import Path

import pytest

from bellwether.home import Home
from bellwether.tokens import AUDIENCE, EVERY_SCOPE, ISSUER, TokenIssuer
from bellwether_kit.auth import ExpiredToken, InvalidToken, KeySet, Verifier


@pytest.fixture
def issuer(tmp_path: Path) -> TokenIssuer:
    made = TokenIssuer(Home(tmp_path))
    made.publish()
    return made


@pytest.fixture
def verifier(issuer: TokenIssuer) -> Verifier:
    return Verifier(KeySet(str(issuer.home.jwks)), issuer=ISSUER, audience=AUDIENCE)


async def test_a_token_carries_tenant_scopes_and_subject(issuer: TokenIssuer, verifier: Verifier) -> None:
    identity = await verifier.verify(issuer.token("acme", "evidence:ingest alerts:read", subject="ana"))

    assert identity.tenant == "acme"
    assert identity.scopes == {"evidence:ingest", "alerts:read"}
    assert identity.subject == "ana"


async def test_a_token_expires(issuer: TokenIssuer, verifier: Verifier) -> None:
    with pytest.raises(ExpiredToken):
        await verifier.verify(issuer.token("acme", ttl=-60))


async def test_another_homes_token_is_refused(tmp_path: Path, verifier: Verifier) -> None:
    forged = TokenIssuer(Home(tmp_path / "other")).token("acme")

    with pytest.raises(InvalidToken):
        await verifier.verify(forged)


def test_a_homes_key_is_kept_and_readable_by_its_owner_only(issuer: TokenIssuer) -> None:
    before = issuer.home.jwks.read_text()
    issuer.publish()

    assert issuer.home.jwks.read_text() == before
    assert '"d"' not in before
    assert (issuer.home.path / "signing-key.pem").stat().st_mode & 0o777 == 0o600


def test_every_scope_names_each_area_and_the_machines_ingest() -> None:
    assert "evidence:ingest" in EVERY_SCOPE.split()
    assert len(EVERY_SCOPE.split()) == 6 * 3 + 1
