"""Who may call a route: token, scopes and the tenant's rate, all before the body is read."""

from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase
from starlette.requests import Request

from bellwether_kit import telemetry
from bellwether_kit.auth import ExpiredToken, Identity, InvalidToken, KeysUnavailable
from bellwether_kit.http.calls import Call
from bellwether_kit.http.problems import ProblemError
from bellwether_kit.http.runtime import Runtime, runtime_of

IDENTITY = "bellwether.identity"
ANSWER_HEADERS = "bellwether.answer_headers"


class Requires(SecurityBase):
    """A dependency that gives the :class:`Call` of a caller with one of ``scopes``."""

    scheme_name = "bearer"

    def __init__(self, *scopes: str) -> None:
        self.scopes = frozenset(scopes)
        self.model = HTTPBearer(bearerFormat="JWT", description="A JWT with the claims tenant, scope and sub")

    async def __call__(self, request: Request) -> Call:
        """Give the call; the route has admitted it before it read the body."""
        # Not the call itself: with it a request would hold itself, and wait for the garbage collector.
        known: Identity | None = request.scope.get(IDENTITY)
        return await self.admit(request) if known is None else _call(request, known)

    async def admit(self, request: Request) -> Call:
        """Raise the 401, 403, 429 or 503 problem, or give the call."""
        runtime = runtime_of(request)
        identity = await _identify(runtime, request)
        telemetry.tenant.set(identity.tenant)
        if self.scopes and not self.scopes & identity.scopes:
            raise self._missing_scope()
        _spend(runtime, request, identity.tenant)
        request.scope[IDENTITY] = identity
        return _call(request, identity)

    def _missing_scope(self) -> ProblemError:
        wanted = " ".join(sorted(self.scopes))
        challenge = f'Bearer error="insufficient_scope", scope="{wanted}"'
        detail = f"The token needs the scope {' or '.join(sorted(self.scopes))}."
        return ProblemError(403, "missing-scope", detail, headers={"WWW-Authenticate": challenge})


def requires(*scopes: str) -> Requires:
    """Make the dependency that admits callers with any one of ``scopes``."""
    return Requires(*scopes)


def admitted(request: Request, tenant: str, subject: str, scopes: frozenset[str] = frozenset()) -> Call:
    """Give the call of a caller who is known; raises the 429 problem beyond the tenant's rate.

    For routes that know their caller by something else than a token: a signature, a key.
    """
    telemetry.tenant.set(tenant)
    _spend(runtime_of(request), request, tenant)
    return Call(request=request, tenant=tenant, subject=subject, scopes=scopes)


def _call(request: Request, identity: Identity) -> Call:
    return Call(request=request, tenant=identity.tenant, subject=identity.subject, scopes=identity.scopes)


async def _identify(runtime: Runtime, request: Request) -> Identity:
    header = request.headers.get("authorization")
    if header is None:
        raise _unauthenticated("missing-token", "Send a bearer token in the Authorization header.")
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise _unauthenticated("missing-token", "The Authorization header holds no bearer token.")
    try:
        return await runtime.verifier.verify(token.strip())
    except ExpiredToken as error:
        raise _unauthenticated("expired-token", _sentence(error), refused=True) from error
    except InvalidToken as error:
        raise _unauthenticated("invalid-token", _sentence(error), refused=True) from error
    except KeysUnavailable as error:
        detail = "Tokens can't be verified just now."
        raise ProblemError(503, "keys-unavailable", detail, headers={"Retry-After": "5"}) from error


def _sentence(error: Exception) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."


def _unauthenticated(code: str, detail: str, *, refused: bool = False) -> ProblemError:
    challenge = 'Bearer error="invalid_token"' if refused else "Bearer"
    return ProblemError(401, code, detail, headers={"WWW-Authenticate": challenge})


def _spend(runtime: Runtime, request: Request, tenant: str) -> None:
    buckets = runtime.buckets
    allowance = buckets.take(tenant)
    headers = allowance.headers(buckets.burst, buckets.rate)
    request.scope.setdefault(ANSWER_HEADERS, []).extend(
        (name.lower().encode(), value.encode()) for name, value in headers.items()
    )
    if not allowance.allowed:
        raise ProblemError(
            429,
            "rate-limited",
            "The tenant makes more requests than it may.",
            headers={"Retry-After": str(allowance.retry_after)},
        )
