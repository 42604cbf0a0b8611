"""Files that tell what happened with clients, read as accounts and activities in order of time."""

import csv
import gzip
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, TextIO

from bellwether.errors import BellwetherError

Body = dict[str, Any]

COUNTRIES = {
    "Australia": "AU",
    "Austria": "AT",
    "Bahrain": "BH",
    "Belgium": "BE",
    "Canada": "CA",
    "Cyprus": "CY",
    "Denmark": "DK",
    "EIRE": "IE",
    "Finland": "FI",
    "France": "FR",
    "Germany": "DE",
    "Greece": "GR",
    "Iceland": "IS",
    "Israel": "IL",
    "Italy": "IT",
    "Japan": "JP",
    "Lithuania": "LT",
    "Netherlands": "NL",
    "Norway": "NO",
    "Poland": "PL",
    "Portugal": "PT",
    "Spain": "ES",
    "Sweden": "SE",
    "Switzerland": "CH",
    "United Arab Emirates": "AE",
    "United Kingdom": "GB",
}
"""The countries of the orders, as they name them; one that is not here is left out."""

_GZIP = b"\x1f\x8b"


class Unreadable(BellwetherError):
    """A file is not there, or a line of it does not say what its format has there."""


class Format(StrEnum):
    """What a file's lines are."""

    ORDERS = "orders"
    MESSAGES = "messages"


@dataclass(slots=True)
class History:
    """What is in a file: accounts by external id, and what happened, in order of time."""

    accounts: dict[str, Body] = field(default_factory=dict)
    happened: list[tuple[datetime, Body]] = field(default_factory=list)


def read_history(path: Path, format_: Format, limit: int | None = None) -> History:
    """The first ``limit`` lines of a file, plain or gzip, as its format reads them. Raises Unreadable."""
    history = History()
    try:
        with _opened(path) as lines:
            for number, (account, at, body) in enumerate(_READERS[format_](lines), 1):
                if limit is not None and number > limit:
                    break
                history.accounts.setdefault(body["account"]["external_id"], account)
                history.happened.append((at, body))
    except OSError as error:
        raise Unreadable(f"{path} cannot be read: {error.strerror or error}.") from error
    except (KeyError, ValueError) as error:
        line = len(history.happened) + 1
        raise Unreadable(f"{path} is not in the format {format_}: row {line} is broken ({error}).") from error
    if not history.happened:
        raise Unreadable(f"{path} holds nothing to replay.")
    history.happened.sort(key=lambda happening: happening[0])
    return history


def _opened(path: Path) -> TextIO:
    with path.open("rb") as file:
        packed = file.read(len(_GZIP)) == _GZIP
    return gzip.open(path, "rt", newline="") if packed else path.open(newline="")


def _orders(lines: Iterator[str]) -> Iterator[tuple[Body, datetime, Body]]:
    """Each customer is an account. A cancellation is an invoice of its own, with a negative amount: a credit note."""
    for row in csv.DictReader(lines):
        customer = {"source": "webshop", "external_id": row["customer"]}
        account = {"external_ids": [customer], "name": f"Customer {row['customer']}"}
        at = datetime.fromisoformat(row["time"]).replace(tzinfo=UTC)
        body = {
            "source": "webshop",
            "external_id": f"invoice-{row['invoice']}",
            "revision": 1,
            "type": "order",
            "direction": "inbound",
            "outcome": None if row.get("kind") == "cancellation" else "placed",
            "occurred_at": at.isoformat(),
            "account": customer,
            "amount": row["amount_gbp"],
            "currency": "GBP",
        }
        yield account | {"country": COUNTRIES.get(row["country"])}, at, body


def _messages(lines: Iterator[str]) -> Iterator[tuple[Body, datetime, Body]]:
    """Each pair of people is one client: who wrote first is our account manager, the other the only contact there.

    Every message of ours asks for a reply.
    """
    source = "messages"
    ours: dict[frozenset[str], str] = {}
    for number, line in enumerate(lines, 1):
        sender, receiver, seconds = line.split()
        at = datetime.fromtimestamp(int(seconds), UTC)
        manager = ours.setdefault(frozenset((sender, receiver)), sender)
        outbound = sender == manager
        client = {"source": source, "external_id": f"{manager}-{receiver if outbound else sender}"}
        body = {
            "source": source,
            "external_id": f"message-{number}",
            "revision": 1,
            "type": "message",
            "direction": "outbound" if outbound else "inbound",
            "outcome": "sent",
            "asks_reply": outbound,
            "occurred_at": at.isoformat(),
            "account": client,
            "contacts": [client],
            "owner": {"email": f"manager-{manager}@example.com"},
        }
        yield {"external_ids": [client], "name": f"Client {client['external_id']}"}, at, body


_READERS: Mapping[Format, Callable[[Iterator[str]], Iterator[tuple[Body, datetime, Body]]]] = {
    Format.ORDERS: _orders,
    Format.MESSAGES: _messages,
}
