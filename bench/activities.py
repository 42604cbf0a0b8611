"""Activities for the benchmarks as a CRM posts them: seeded, in order of time, of every sort."""

import random
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

SOURCE = "crm"
PEOPLE = 5  # contacts of an account
_SORTS: tuple[tuple[int, dict[str, Any]], ...] = (
    (18, {"type": "call", "direction": "outbound", "outcome": "no-answer"}),
    (17, {"type": "call", "direction": "outbound", "outcome": "connected"}),
    (15, {"type": "email", "direction": "outbound", "outcome": "delivered", "asks_reply": True}),
    (20, {"type": "email", "direction": "inbound"}),
    (5, {"type": "message", "direction": "inbound"}),
    (10, {"type": "meeting", "outcome": "held"}),
    (10, {"type": "order", "outcome": "placed", "amount": "1200.00", "currency": "EUR"}),
    (5, {"type": "note", "subject": "Talked about the spring campaign"}),
)
_WEIGHTS = [weight for weight, _ in _SORTS]


def account_name(number: int) -> str:
    """The id that the source system has for an account."""
    return f"company-{number}"


def activity(chance: random.Random, name: str, account: int, at: datetime) -> dict[str, Any]:
    """One activity of an account, of a sort as often as such sorts are."""
    return _of(chance.choices(_SORTS, _WEIGHTS)[0][1], chance, name, account, at)


def escalation(chance: random.Random, name: str, account: int, at: datetime) -> dict[str, Any]:
    """A complaint that is escalated: one is enough for an alert."""
    return _of({"type": "ticket", "outcome": "escalated"}, chance, name, account, at)


def _of(sort: Mapping[str, Any], chance: random.Random, name: str, account: int, at: datetime) -> dict[str, Any]:
    return {
        **sort,
        "source": SOURCE,
        "external_id": name,
        "occurred_at": at.isoformat(),
        "account": {"source": SOURCE, "external_id": account_name(account)},
        "contacts": [{"source": SOURCE, "external_id": f"person-{account}-{chance.randrange(PEOPLE)}"}],
        "owner": {"email": f"owner-{chance.randrange(50)}@example.com"},
    }


def activities(count: int, accounts: int, *, run: str, days: float = 90, seed: int = 7) -> Iterator[dict[str, Any]]:
    """``count`` activities of the last ``days``, the earliest first; ``run`` keeps the names of two runs apart."""
    chance = random.Random(seed)
    start = datetime.now(UTC) - timedelta(days=days)
    for number in range(count):
        at = start + timedelta(days=days * number / count)
        yield activity(chance, f"{run}-{number}", chance.randrange(accounts), at)
