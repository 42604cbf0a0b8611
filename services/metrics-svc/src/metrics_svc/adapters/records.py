"""How a foreign body is read record by record: one that is odd or says nothing is unread, and the others count.

No adapter by itself: others read with it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from hashlib import sha256
from hmac import compare_digest
from typing import TypeVar

import msgspec

from metrics_svc.activities.rules import Reference
from metrics_svc.inbound.rules import Forgery, Proof, Reading, Unread
from metrics_svc.intake.rules import Told

Record = TypeVar("Record")

_FREE_MAIL = """
    126.com 163.com aol.com free.fr gmail.com gmx.at gmx.ch gmx.de gmx.net googlemail.com group.calendar.google.com
    hey.com hotmail.co.uk hotmail.com hotmail.fr icloud.com laposte.net libero.it live.com mac.com mail.com mail.ru
    me.com msn.com naver.com orange.fr outlook.com pm.me proton.me protonmail.com qq.com rediffmail.com t-online.de
    tutanota.com wanadoo.fr web.de yahoo.co.jp yahoo.co.uk yahoo.com yahoo.de yahoo.fr yandex.com yandex.ru ymail.com
"""
FREE_MAIL = frozenset(_FREE_MAIL.split())
"""Domains under which anybody has an address, or a calendar: they name no account."""


class Untold(Exception):
    """A record is no activity; what to say of it stands in ``unread``."""

    def __init__(self, code: str, detail: str, pointer: str = "") -> None:
        super().__init__(detail)
        self.unread = Unread(code, detail, pointer)


def records(body: bytes, inside: str = "") -> list[tuple[str, object]]:
    """The records of a JSON body with their JSON pointers: a list's items, or those of the list ``inside`` an object.

    Any other body is one record. Raises ValueError for what is no JSON.
    """
    try:
        content = msgspec.json.decode(body)
    except RecursionError as error:
        raise ValueError("JSON is nested too deeply") from error
    place = ""
    if isinstance(content, dict) and isinstance(content.get(inside), list):
        content, place = content[inside], f"/{inside}"
    if not isinstance(content, list):
        return [("", content)]
    return [(f"{place}/{number}", item) for number, item in enumerate(content)]


def each(
    found: Iterable[tuple[str, object]], shape: type[Record], told_by: Callable[[Record], Iterable[Told]]
) -> Reading:
    """What records say, each read by itself as a ``shape``."""
    told: list[Told] = []
    unread: list[Unread] = []
    for place, record in found:
        try:
            told += list(told_by(msgspec.convert(record, shape)))
        except msgspec.ValidationError as error:
            unread.append(Unread("malformed-record", str(error), place))
        except Untold as untold:
            unread.append(replace(untold.unread, pointer=place + untold.unread.pointer))
    return Reading(told, unread)


def silent(told: Told) -> Told:
    """The record as a note, which is evidence of nothing: so a plan or a deletion takes back what it said before."""
    at = told.updated_at or told.occurred_at
    return replace(told, type="note", direction=None, outcome=None, occurred_at=at, starts_at=None, subject=None)


def moment(value: str | None, zone: tzinfo = UTC, *, pointer: str = "") -> datetime | None:
    """An ISO 8601 moment in UTC; one without an offset is in ``zone``. Raises Untold for anything else."""
    if not value:
        return None
    try:
        at = datetime.fromisoformat(value)
        return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Untold("malformed-record", "A moment is not written as ISO 8601.", pointer) from error


def of_seconds(value: float | None, *, pointer: str = "") -> datetime | None:
    """A moment given in seconds since 1970. Raises Untold when there is no such moment."""
    if value is None:
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise Untold("malformed-record", "A moment is out of range.", pointer) from error


def domain_of(address: str) -> str:
    """The domain of an e-mail address in lower case; empty when it is none."""
    name, at, domain = address.strip().lower().rpartition("@")
    return domain if name and at and "." in domain and len(domain) <= 253 else ""


def is_ours(address: str, own_domains: frozenset[str]) -> bool:
    """Whether an e-mail address is under one of our own domains."""
    domain = domain_of(address)
    return any(domain == own or domain.endswith("." + own) for own in own_domains)


def companies(addresses: Iterable[str], own_domains: frozenset[str]) -> dict[str, list[str]]:
    """The addresses of clients by domain, in the order given: ours and free providers' are left out."""
    found: dict[str, list[str]] = {}
    for address in addresses:
        domain = domain_of(address)
        if domain and domain not in FREE_MAIL and not is_ours(address, own_domains):
            found.setdefault(domain, []).append(address.strip().lower())
    return found


def person(address: str) -> Reference:
    """A person by e-mail address, of which only a hash is kept."""
    return Reference(kind="email", value=address.strip().lower())


def phone(number: str | None) -> str | None:
    """A telephone number as E.164, ``+`` and 7 to 15 digits; None for what is none, as a withheld number."""
    if not number or not number.strip().startswith("+"):
        return None
    digits = "".join(sign for sign in number if sign.isdecimal() and sign.isascii())
    return f"+{digits}" if 7 <= len(digits) <= 15 else None


def by_phone(number: str) -> Reference:
    """The account that has an E.164 number: the number is personal data, so its SHA-256 in hexadecimal stands for it.

    An account is found by it when the same hash is one of its external ids, source ``phone``.
    """
    return Reference(kind="external", source="phone", value=sha256(number.encode()).hexdigest())


def matches(given: str, secrets: Sequence[str]) -> bool:
    """Whether a shared secret is one of the live ones, compared in constant time."""
    return any(compare_digest(given.encode(), secret.encode()) for secret in secrets)


def by_token(given: str | None, secrets: Sequence[str], body: bytes) -> Proof | Forgery:
    """The proof of a system that shows a shared secret and signs nothing: the body itself tells deliveries apart."""
    if not given:
        return Forgery.MISSING
    return Proof(sha256(body).hexdigest(), repeatable=True) if matches(given, secrets) else Forgery.WRONG
