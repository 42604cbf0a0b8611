"""What the demo replays, read from examples/: accounts, people, and everything that happened, in order of time."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from bellwether.evidence.histories import Format, read_history

CUSTOMERS = {"tier": "C", "cadence_days": 45.0}
"""Wholesale customers are heard from when they order: once in six weeks is as expected."""


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing to post, and when: an activity, or (``route`` evidence) an observation."""

    at: datetime
    route: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Year:
    """All that the demo knows before it begins; ``orders`` is also for judging the warnings afterwards.

    ``closely`` is from when until when the story is looked at closely.
    """

    start: datetime
    end: datetime
    accounts: list[dict[str, Any]]
    people: list[dict[str, Any]]
    happenings: list[Happening]
    orders: dict[str, list[datetime]]
    story: str
    closely: tuple[datetime, datetime]


def read_year(examples: Path) -> Year:
    """Read ``orders.csv`` and ``story.yaml``."""
    sold = read_history(examples / "orders.csv", Format.ORDERS)
    story = yaml.safe_load((examples / "story.yaml").read_text())
    happenings = [Happening(at, "activities", body) for at, body in sold.happened] + _story(story)
    happenings.sort(key=lambda happening: happening.at)
    orders: dict[str, list[datetime]] = defaultdict(list)
    for at, body in sold.happened:
        orders[body["account"]["external_id"]].append(at)
    customers = [account | CUSTOMERS for _, account in sorted(sold.accounts.items())]
    return Year(
        start=happenings[0].at.replace(hour=0, minute=0, second=0),
        end=happenings[-1].at.replace(hour=0, minute=0, second=0) + timedelta(days=1),
        accounts=[*customers, _account(story["account"])],
        people=[_person(person, story["account"]) for person in story["people"]],
        happenings=happenings,
        orders=dict(orders),
        story=story["account"]["name"],
        closely=(story["closely"]["from"], story["closely"]["until"]),
    )


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
