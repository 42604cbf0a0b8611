"""What the demo replays, read from examples/: accounts, people, and everything that happened, in order of time."""

import csv
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

SOURCE = "webshop"
COUNTRIES = {
    "United Kingdom": "GB",
    "Germany": "DE",
    "France": "FR",
    "Netherlands": "NL",
    "Belgium": "BE",
    "Iceland": "IS",
    "Lithuania": "LT",
    "Finland": "FI",
    "Cyprus": "CY",
    "Japan": "JP",
    "Portugal": "PT",
    "Austria": "AT",
}
CADENCE_DAYS = 45.0
"""Wholesale customers are heard from when they order: once in six weeks is as expected."""


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing to post, and when: an activity, or (``route`` evidence) an observation."""

    at: datetime
    route: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Year:
    """All that the demo knows before it begins; ``last_orders`` is only for judging the warnings afterwards."""

    start: datetime
    end: datetime
    accounts: list[dict[str, Any]]
    people: list[dict[str, Any]]
    happenings: list[Happening]
    orders: dict[str, list[datetime]]
    story: str


def read_year(examples: Path) -> Year:
    """Read ``orders.csv`` and ``story.yaml``."""
    with (examples / "orders.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    story = yaml.safe_load((examples / "story.yaml").read_text())
    happenings = [_order(row) for row in rows] + _story(story)
    happenings.sort(key=lambda happening: happening.at)
    orders: dict[str, list[datetime]] = defaultdict(list)
    for row in rows:
        orders[row["customer"]].append(_time(row["time"]))
    return Year(
        start=happenings[0].at.replace(hour=0, minute=0, second=0),
        end=happenings[-1].at.replace(hour=0, minute=0, second=0) + timedelta(days=1),
        accounts=[*_customers(rows), _account(story["account"])],
        people=[_person(person, story["account"]) for person in story["people"]],
        happenings=happenings,
        orders=dict(orders),
        story=story["account"]["name"],
    )


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _customers(rows: list[dict[str, str]]) -> list[dict[str, Any]]:
    countries = {row["customer"]: row["country"] for row in rows}
    return [
        {
            "external_ids": [{"source": SOURCE, "external_id": customer}],
            "name": f"Customer {customer}",
            "tier": "C",
            "country": COUNTRIES[country],
            "cadence_days": CADENCE_DAYS,
        }
        for customer, country in sorted(countries.items())
    ]


def _account(said: dict[str, Any]) -> dict[str, Any]:
    known = {key: said[key] for key in ("name", "tier", "cadence_days", "yearly_value", "territory")}
    return known | {
        "account_type": "key",
        "external_ids": [{"source": said["source"], "external_id": said["external_id"]}],
        "owner": {"email": said["owner"]},
        "renewal_at": said["renewal_at"].isoformat(),
        "country": "GB",
        "cadence_days": float(said["cadence_days"]),
    }


def _person(said: dict[str, Any], account: dict[str, Any]) -> dict[str, Any]:
    person = {key: said[key] for key in ("name", "title", "decision_roles", "sentiment")}
    return person | {
        "external_ids": [{"source": account["source"], "external_id": said["external_id"]}],
        "account": {"source": account["source"], "external_id": account["external_id"]},
    }


def _order(row: dict[str, str]) -> Happening:
    at = _time(row["time"])
    return Happening(
        at,
        "activities",
        {
            "source": SOURCE,
            "external_id": f"invoice-{row['invoice']}",
            "revision": 1,
            "type": "order",
            "direction": "inbound",
            "outcome": "placed",
            "occurred_at": at.isoformat(),
            "account": {"source": SOURCE, "external_id": row["customer"]},
            "amount": row["amount_gbp"],
            "currency": "GBP",
        },
    )


def _story(story: dict[str, Any]) -> list[Happening]:
    account = {"source": story["account"]["source"], "external_id": story["account"]["external_id"]}
    told = []
    for said in story["activities"]:
        body = {key: said[key] for key in ("type", "direction", "outcome", "asks_reply") if key in said}
        body |= {
            "source": account["source"],
            "external_id": said["id"],
            "revision": 1,
            "occurred_at": said["at"].isoformat(),
            "account": account,
            "contacts": [{"source": account["source"], "external_id": said["contact"]}],
            "owner": {"email": story["account"]["owner"]},
        }
        told.append(Happening(said["at"], "activities", body))
    for said in story["observations"]:
        body = {
            "source": account["source"],
            "external_id": said["id"],
            "kind": said["kind"],
            "observed_at": said["at"].isoformat(),
            "account": account,
            "note": said["note"],
        }
        told.append(Happening(said["at"], "evidence", body))
    return told
