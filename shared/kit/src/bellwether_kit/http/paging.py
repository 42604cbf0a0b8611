"""Lists by cursor: keyset positions, opaque and signed, good only for the query they came from."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

import msgspec
from fastapi import Depends, Query, Request

from bellwether_kit.http.models import ResponseModel
from bellwether_kit.http.problems import ProblemError
from bellwether_kit.http.runtime import runtime_of

T = TypeVar("T")
Row = TypeVar("Row")

MAX_LIMIT = 200
_MAC_BYTES = 16


class Page(ResponseModel, Generic[T]):
    """One page of a list; ``next_cursor`` is null on the last."""

    items: list[T]
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class PageQuery:
    """Where a list goes on: ``limit`` rows (1..200) after the key ``after`` (None: the first page)."""

    limit: int
    after: list[Any] | None
    _key: bytes
    _binding: bytes

    @property
    def after_id(self) -> UUID:
        """The id after which a list in the order of ids goes on; on the first page one below all."""
        return UUID(self.after[0]) if self.after else UUID(int=0)

    def next(self, rows: Sequence[Row], key: Callable[[Row], list[Any]]) -> str | None:
        """Sign the place after this page; None unless ``rows`` holds one more than ``limit``."""
        if len(rows) <= self.limit:
            return None
        position = msgspec.json.encode(key(rows[self.limit - 1]), enc_hook=str)
        mac = _mac(self._key, self._binding, position)
        return urlsafe_b64encode(mac + position).rstrip(b"=").decode()

    def cut(self, rows: Sequence[Row], key: Callable[[Row], list[Any]]) -> tuple[list[Row], str | None]:
        """Split ``limit + 1`` fetched rows into this page and the cursor of the next.

        ``key`` gives the row's place in the order as JSON scalars; make it unique.
        """
        return list(rows[: self.limit]), self.next(rows, key)

    def written(self, rows: Sequence[Any], key: Callable[[Any], list[Any]], **more: Any) -> bytes:
        """Give the JSON of this page of ``limit + 1`` fetched rows; their ``item`` is JSON already, ``more`` follows.

        For lists of rows that are wide or many: models made of them would take longer than all the rest.
        """
        items = ",".join([row.item for row in rows[: self.limit]])
        rest = msgspec.json.encode({"next_cursor": self.next(rows, key), **more})
        return b'{"items":[' + items.encode() + b"]," + rest[1:]


def _mac(key: bytes, binding: bytes, position: bytes) -> bytes:
    return hmac.digest(key, binding + b"\0" + position, sha256)[:_MAC_BYTES]


async def read_page(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="how many items, at most")] = 50,
    cursor: Annotated[str | None, Query(max_length=1_024, description="`next_cursor` of the page before")] = None,
) -> PageQuery:
    """Give the request's page; raises the 400 problem for a cursor that is not ours or of another query."""
    key, binding = runtime_of(request).cursor_key, _binding(request)
    after = None if cursor is None else _opened(cursor, key, binding)
    return PageQuery(limit, after, key, binding)


PageRequest = Annotated[PageQuery, Depends(read_page)]
"""The dependency a list route takes."""


def _binding(request: Request) -> bytes:
    """Everything that makes the list what it is: the path with its ids, filters and order."""
    filters = sorted(pair for pair in request.query_params.multi_items() if pair[0] not in ("cursor", "limit"))
    return sha256(msgspec.json.encode([request.scope["path"], filters])).digest()


def _opened(cursor: str, key: bytes, binding: bytes) -> list[Any]:
    try:
        sealed = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        mac, position = sealed[:_MAC_BYTES], sealed[_MAC_BYTES:]
        if hmac.compare_digest(mac, _mac(key, binding, position)):
            return msgspec.json.decode(position, type=list[Any])
    except (ValueError, msgspec.DecodeError):
        pass
    raise ProblemError(400, "invalid-cursor", "The cursor is not from this list with these filters; start again.")
