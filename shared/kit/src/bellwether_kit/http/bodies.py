"""Reading request bodies: size, encoding, nesting and JSON; what a body means is the models' business."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive, Scope

from bellwether_kit.http.problems import ProblemError
from bellwether_kit.settings import HttpSettings

_STRINGS = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_TO_ONE_KIND = bytes.maketrans(b"{}", b"[]")
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]"))
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_NON_FINITE = re.compile(rb"\b(NaN|Infinity)\b")


def parse_json(body: bytes, nesting_limit: int) -> Any:
    """Decode ``body``; raises the 400 or 413 problem that says what is wrong with it."""
    if not body.isascii():
        try:
            body.decode()
        except UnicodeDecodeError as error:
            raise ProblemError(400, "invalid-encoding", "The body is not UTF-8.") from error
    if _deeper_than(body, nesting_limit):
        raise _too_deep(nesting_limit)
    if b"\\u0000" in body and _NUL.search(body):
        raise ProblemError(400, "nul-character", "A text holds the character NUL, which nothing can store.")
    try:
        return msgspec.json.decode(body)
    except RecursionError as error:
        raise _too_deep(nesting_limit) from error
    except (msgspec.DecodeError, ValueError) as error:
        raise _malformed(body, error) from error


def _malformed(body: bytes, error: Exception) -> ProblemError:
    if isinstance(error, msgspec.ValidationError) or _NON_FINITE.search(_STRINGS.sub(b"", body)):
        return ProblemError(400, "non-finite-number", "JSON has no NaN, no Infinity and no number beyond 1e308.")
    reason = str(error) if isinstance(error, msgspec.DecodeError) else "a number or text can't be read"
    return ProblemError(400, "malformed-json", f"The body is not JSON: {reason}.")


def _too_deep(limit: int) -> ProblemError:
    return ProblemError(413, "nesting-too-deep", f"Arrays and objects may be nested {limit} deep.")


def _deeper_than(body: bytes, limit: int) -> bool:
    """Tell the depth by stripping innermost brackets, one level at a time, without building anything."""
    if body.count(b"[") + body.count(b"{") <= limit:
        return False
    brackets = _STRINGS.sub(b"", body).translate(_TO_ONE_KIND).translate(None, _NOT_BRACKETS)
    for _ in range(limit):
        brackets = brackets.replace(b"[]", b"")
    return b"[]" in brackets


class _Limited:
    """What the server receives, up to a limit; knows nothing of the request, which otherwise would hold itself."""

    __slots__ = ("_announced", "_receive", "_received", "limit")

    def __init__(self, receive: Receive, announced: str, limit: int) -> None:
        self._receive = receive
        self._announced = announced
        self._received = 0
        self.limit = limit

    async def __call__(self) -> Message:
        """Pass a message on; raises the 413 problem as soon as the body is, or says it is, too large."""
        limit, announced = self.limit, self._announced
        if announced.isdecimal() and (len(announced) > 18 or int(announced) > limit):
            raise _too_large(limit)
        message = await self._receive()
        self._received += len(message.get("body", b""))
        if self._received > limit:
            raise _too_large(limit)
        return message


class BodyRequest(Request):
    """A request whose body is read under limits, and whose JSON is what RFC 8259 says."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        super().__init__(scope, receive)
        self._limited = _Limited(receive, self.headers.get("content-length", ""), self.limits.body_limit)
        self._receive = self._limited

    @property
    def limits(self) -> HttpSettings:
        """The limits of the process."""
        limits: HttpSettings = self.app.state.settings
        return limits

    @property
    def media_type(self) -> str:
        """The body's media type, without parameters, in lower case; empty when none is given."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def has_body(self) -> bool:
        """Whether the client announced a body."""
        return self.headers.get("content-length", "0") != "0" or "transfer-encoding" in self.headers

    def require_json(self) -> None:
        """Raise the 415 problem for a body that does not claim to be JSON."""
        kind = self.media_type
        if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
            if not kind and not self.has_body:
                return
            raise unsupported_media_type("application/json")

    async def body(self) -> bytes:
        """Give the whole body; raises the 408 problem when it does not arrive in time."""
        if not hasattr(self, "_body"):
            try:
                async with asyncio.timeout(self.limits.body_timeout):
                    self._body = await self._read()
            except TimeoutError as error:
                raise _too_slow() from error
        return self._body

    async def _read(self) -> bytes:
        """Read without the generator that Starlette's ``stream`` is: this runs once per request."""
        chunks: list[bytes] = []
        more = True
        while more:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            chunks.append(message.get("body", b""))
            more = message.get("more_body", False)
        self._stream_consumed = True
        return b"".join(chunks)

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body as it arrives, up to the limit of imports; what is yielded is kept nowhere.

        Raises the 413 problem beyond the limit, the 408 problem when nothing comes for too long, and
        ClientDisconnect when the client leaves.
        """
        self._limited.limit = self.limits.import_body_limit
        stream = self.stream()
        try:
            while True:
                async with asyncio.timeout(self.limits.body_timeout):
                    chunk = await anext(stream, None)
                if chunk is None:
                    return
                yield chunk
        except TimeoutError as error:
            raise _too_slow() from error

    async def json(self) -> Any:
        """Decode the body once; raises the problem that says what is wrong with it."""
        if not hasattr(self, "_json"):
            self._json = parse_json(await self.body(), self.limits.nesting_limit)
        return self._json


def body_of(request: Request) -> BodyRequest:
    """Give the same request as one whose body is read under limits, which it is on every route of ours."""
    if not isinstance(request, BodyRequest):
        raise TypeError("make the route with bellwether_kit.http.router()")
    return request


def _too_slow() -> ProblemError:
    detail = "The body did not arrive in time."
    return ProblemError(408, "body-too-slow", detail, headers={"Connection": "close"})


def _too_large(limit: int) -> ProblemError:
    return ProblemError(413, "body-too-large", f"A body may have {limit} bytes.", headers={"Connection": "close"})


def unsupported_media_type(*accepted: str) -> ProblemError:
    """Make the 415 problem that names what is accepted."""
    kinds = " or ".join(accepted)
    return ProblemError(415, "unsupported-media-type", f"Send {kinds}.", headers={"Accept": ", ".join(accepted)})
