"""Our own words as CloudEvents, NDJSON lines and CSV rows carry them: the fields of ``POST /v1/activities``.

No adapter by itself: others read with it.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from metrics_svc.activities.rules import Reference
from metrics_svc.inbound.rules import Options, Unread
from metrics_svc.intake.rules import Told

_Instant = Annotated[datetime, Meta(tz=True)]
_Email = Annotated[str, Meta(pattern=r"^[^@\s]+@[^@\s]+$")]
_Amount = Annotated[str, Meta(pattern=r"^-?\d{1,15}(\.\d{1,4})?$")]
_PLACE = re.compile(r" - at `\$(?P<path>[^`]*)`$")
_STEP = re.compile(r"\[\.\.\.\]|\[(\d+)\]|\.?([^.\[\]]+)")


class Ref(Struct, forbid_unknown_fields=True, frozen=True):
    """An account or a person, named in exactly one way."""

    id: UUID | None = None
    source: str | None = None
    external_id: str | None = None
    domain: str | None = None
    email: _Email | None = None

    def __post_init__(self) -> None:
        """Refuse none and several ways, and half an external id."""
        ways = [self.id, self.source, self.domain, self.email]
        if sum(way is not None for way in ways) != 1 or (self.source is None) != (self.external_id is None):
            raise ValueError("give exactly one: id, source with external_id, domain or email")

    def reference(self) -> Reference:
        """The way it is named."""
        if self.id is not None:
            return Reference(kind="id", value=str(self.id))
        if self.domain is not None:
            return Reference(kind="domain", value=self.domain.lower())
        if self.email is not None:
            return Reference(kind="email", value=self.email.lower())
        return Reference(kind="external", source=str(self.source), value=str(self.external_id))


class _AccountRef(Ref, forbid_unknown_fields=True, frozen=True):
    def __post_init__(self) -> None:
        super().__post_init__()
        if self.email is not None:
            raise ValueError("an account has a domain, not an e-mail address")


class _ContactRef(Ref, forbid_unknown_fields=True, frozen=True):
    def __post_init__(self) -> None:
        super().__post_init__()
        if self.domain is not None:
            raise ValueError("a person has an e-mail address, not a domain")


class _Owner(Struct, forbid_unknown_fields=True, frozen=True):
    email: _Email


class _Activity(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    source: str | None = None
    external_id: str
    type: str
    occurred_at: _Instant
    account: _AccountRef
    revision: int | None = None
    updated_at: _Instant | None = None
    direction: Literal["inbound", "outbound"] | None = None
    outcome: str | None = None
    starts_at: _Instant | None = None
    contacts: tuple[_ContactRef, ...] = ()
    owner: _Owner | None = None
    asks_reply: bool | None = None
    thread: str | None = None
    in_reply_to: str | None = None
    amount: _Amount | None = None
    currency: str | None = None
    subject: str | None = None
    attributes: dict[str, str | int | float | bool | None] = {}


def told(item: Mapping[str, object], options: Options, *, pointer: str = "", typed: bool = True) -> Told | Unread:
    """An activity as ``item`` says it, or what is wrong with it and where, below ``pointer``.

    It is kept under the source of ``options``, and may name no other; without one it names its own. Of a CSV row
    (not ``typed``) every value is a text.
    """
    try:
        said = msgspec.convert(item, _Activity, strict=typed)
    except msgspec.ValidationError as error:
        return Unread("validation-failed", _words(error), pointer + _pointer(error))
    if options.source and said.source not in {None, options.source}:
        return Unread("another-source", f"Only {options.source} may tell here.", f"{pointer}/source")
    return Told(
        source=options.source or said.source or "",
        external_id=said.external_id,
        type=said.type,
        occurred_at=said.occurred_at,
        account=said.account.reference(),
        revision=said.revision,
        updated_at=said.updated_at,
        direction=said.direction,
        outcome=said.outcome,
        starts_at=said.starts_at,
        contacts=tuple(contact.reference() for contact in said.contacts),
        owner=said.owner.email if said.owner else None,
        asks_reply=said.asks_reply,
        thread=said.thread,
        in_reply_to=said.in_reply_to,
        amount=None if said.amount is None else Decimal(said.amount),
        currency=said.currency,
        subject=said.subject,
        attributes=said.attributes,
    )


def _words(error: msgspec.ValidationError) -> str:
    return _PLACE.sub("", str(error)).replace("`", "") + "."


def _pointer(error: msgspec.ValidationError) -> str:
    """The JSON pointer that stands for msgspec's path, as far as it names its steps; `[...]` names none."""
    place = _PLACE.search(str(error))
    steps = _STEP.findall(place["path"]) if place else []
    return "".join(f"/{index or name}" for index, name in steps if index or name)
