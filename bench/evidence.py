"""Evidence events for the benchmarks: seeded, spread over accounts and kinds, a share of them twice."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec

KINDS = (
    ("call-returned", "calls-and-emails", "heart", 1),
    ("call-unreturned", "calls-and-emails", "heart", -1),
    ("meeting-held", "meetings", "heart", 1),
    ("meeting-declined", "meetings", "heart", -1),
    ("advice-sought", "advice", "mind", 1),
    ("not-invited", "buying-timing", "mind", -1),
    ("order-placed", "buying-pace", "wallet", 1),
    ("scope-reduced", "scope", "wallet", -1),
)
TENANT = "bench"


def records(count: int, accounts: int, *, duplicates: float = 0.01, seed: int = 7) -> Iterator[tuple[bytes, bytes]]:
    """Key and value of ``count`` records of a year's evidence of ``accounts``; ``duplicates`` of them come again."""
    chance = random.Random(seed)
    ids = account_ids(chance, accounts)
    start = datetime.now(UTC) - timedelta(days=365)
    last: tuple[bytes, bytes] | None = None
    for number in range(count):
        if last and chance.random() < duplicates:
            yield last
            continue
        account = chance.choice(ids)
        observed = start + timedelta(days=365 * number / count)
        last = f"{TENANT}/{account}".encode(), value(chance, account, observed)
        yield last


def account_ids(chance: random.Random, accounts: int) -> list[UUID]:
    """The ids of so many accounts: what a fresh ``chance`` of the same seed gives again."""
    return [UUID(int=chance.getrandbits(128), version=4) for _ in range(accounts)]


def corrected(chance: random.Random, said: bytes) -> bytes:
    """The same piece of evidence in its second revision, half as large again."""
    event = msgspec.json.decode(said)
    event["id"] = UUID(int=chance.getrandbits(128), version=4)
    event["data"] |= {"revision": 2, "magnitude": 1.5}
    return msgspec.json.encode(event)


def value(chance: random.Random, account: UUID, observed: datetime) -> bytes:
    """A piece of evidence of any kind, as it stands on the topic."""
    kind, family, dimension, polarity = chance.choice(KINDS)
    id_ = UUID(int=chance.getrandbits(128), version=4)
    return msgspec.json.encode(
        {
            "specversion": "1.0",
            "id": id_,
            "source": "/metrics-svc",
            "type": "client.evidence.recorded.v1",
            "subject": str(account),
            "time": observed,
            "datacontenttype": "application/json",
            "tenantid": TENANT,
            "partitionkey": f"{TENANT}/{account}",
            "sequence": 1,
            "data": {
                "evidence_id": UUID(int=chance.getrandbits(128), version=4),
                "account_id": account,
                "kind": kind,
                "family": family,
                "dimension": dimension,
                "polarity": polarity,
                "magnitude": 1.0,
                "observed_at": observed,
                "recorded_at": observed,
                "revision": 1,
                "source": "bench",
                "contact_ids": [],
                "owner_id": None,
                "activity_ids": [id_],
            },
        }
    )
