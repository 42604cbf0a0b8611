"""All SQL of the projection of accounts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from bellwether_kit.events import Received
from scoring_svc.consumed import AccountChanged, AccountRemoved

_PROJECT = text("""
    INSERT INTO account AS known (tenant, account_id, version, removed, name, tier, owner_id, cadence_days,
                                  value_amount, value_currency, renewal_at, known_since, whitespace, parent_id,
                                  industry, territory)
    SELECT * FROM unnest(
        CAST(:tenant AS text[]), CAST(:account_id AS uuid[]), CAST(:version AS integer[]),
        CAST(:removed AS boolean[]), CAST(:name AS text[]), CAST(:tier AS text[]), CAST(:owner_id AS uuid[]),
        CAST(:cadence_days AS float8[]), CAST(:value_amount AS float8[]), CAST(:value_currency AS text[]),
        CAST(:renewal_at AS timestamptz[]), CAST(:known_since AS timestamptz[]), CAST(:whitespace AS float8[]),
        CAST(:parent_id AS uuid[]), CAST(:industry AS text[]), CAST(:territory AS text[]))
    ON CONFLICT (tenant, account_id) DO UPDATE
    SET version = EXCLUDED.version, removed = EXCLUDED.removed, name = EXCLUDED.name, tier = EXCLUDED.tier,
        owner_id = EXCLUDED.owner_id, cadence_days = EXCLUDED.cadence_days,
        value_amount = EXCLUDED.value_amount, value_currency = EXCLUDED.value_currency,
        renewal_at = EXCLUDED.renewal_at, known_since = EXCLUDED.known_since,
        whitespace = EXCLUDED.whitespace, parent_id = EXCLUDED.parent_id,
        industry = EXCLUDED.industry, territory = EXCLUDED.territory
    WHERE known.version < EXCLUDED.version
    RETURNING tenant, CAST(account_id AS text)
""")


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """An account as profile-svc describes it; of a removed one only the ids and the version mean anything."""

    tenant: str
    account_id: str
    version: int
    removed: bool = False
    name: str = ""
    tier: str | None = None
    owner_id: UUID | None = None
    cadence_days: float | None = None
    value_amount: float = 0.0
    value_currency: str | None = None
    renewal_at: datetime | None = None
    known_since: datetime | None = None
    whitespace: float | None = None
    parent_id: UUID | None = None
    industry: str | None = None
    territory: str | None = None


async def project(session: AsyncSession, facts: Sequence[AccountFacts]) -> list[tuple[str, str]]:
    """Keep the facts unless a later version is known; one per account. Gives the keys of what changed."""
    columns = {name: [getattr(fact, name) for fact in facts] for name in AccountFacts.__slots__}
    return [(tenant, account_id) for tenant, account_id in await session.execute(_PROJECT, columns)]


def described(events: Sequence[Received[AccountChanged | AccountRemoved]]) -> list[AccountFacts]:
    """The newest description of each account, in the order of keys."""
    newest: dict[tuple[str, str], AccountFacts] = {}
    for event in events:
        facts = _facts(event)
        key = facts.tenant, facts.account_id
        if key not in newest or newest[key].version < facts.version:
            newest[key] = facts
    return [newest[key] for key in sorted(newest)]


def _facts(event: Received[AccountChanged | AccountRemoved]) -> AccountFacts:
    data = event.data
    if isinstance(data, AccountRemoved):
        return AccountFacts(event.tenant, data.account_id.lower(), data.version, removed=True)
    return AccountFacts(
        event.tenant,
        data.account_id.lower(),
        data.version,
        name=data.name,
        tier=data.tier,
        owner_id=data.owner_id,
        parent_id=data.parent_id,
        industry=data.industry,
        territory=data.territory,
        cadence_days=data.cadence_days,
        value_amount=data.value.amount if data.value else 0.0,
        value_currency=data.value.currency if data.value else None,
        renewal_at=data.renewal_at,
        known_since=data.known_since,
        whitespace=data.whitespace.amount if data.whitespace else None,
    )
