"""All SQL of the names that accounts go by: what a reference finds, and how a name comes to an account and goes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from bellwether_kit.db import arrays
from metrics_svc.activities.rules import Reference
from metrics_svc.references.rules import stem

# What a person said comes before what accounts claim.
_FIND = text("""
    WITH wanted AS (
        SELECT * FROM unnest(CAST(:kinds AS text[]), CAST(:sources AS text[]), CAST(:values AS text[]))
                 AS wanted(kind, source, value)
    )
    SELECT kind, source, value, account_id, true AS said FROM wanted JOIN reference_word USING (kind, source, value)
    WHERE tenant = :tenant AND account_id IS NOT NULL AND NOT undone
    UNION ALL
    SELECT kind, source, value, account_id, false FROM wanted JOIN account_reference USING (kind, source, value)
    WHERE tenant = :tenant AND NOT released
    ORDER BY said DESC, account_id
""")

# One lock per tenant: whoever looks for accounts waits for changes of accounts in hand, and those for who looked.
_HOLD = text("SELECT pg_advisory_xact_lock_shared(hashtextextended('matching/' || :tenant, 0))")
_HOLD_ALONE = text("""
    SELECT pg_advisory_xact_lock(hashtextextended('matching/' || tenant, 0))
    FROM (SELECT tenant FROM unnest(CAST(:tenants AS text[])) AS t(tenant) ORDER BY tenant) AS sorted
""")

_RELEASE = text("""
    UPDATE account_reference AS kept SET released = true
    FROM unnest(CAST(:tenants AS text[]), CAST(:accounts AS uuid[])) AS changed(tenant, account_id)
    WHERE kept.tenant = changed.tenant AND kept.account_id = changed.account_id AND NOT kept.released
      AND (kept.kind, kept.source, kept.value) NOT IN (
          SELECT kind, source, value
          FROM unnest(CAST(:claim_tenants AS text[]), CAST(:kinds AS text[]), CAST(:sources AS text[]),
                      CAST(:values AS text[]), CAST(:claim_accounts AS uuid[]))
               AS claimed(tenant, kind, source, value, account_id)
          WHERE claimed.tenant = kept.tenant AND claimed.account_id = kept.account_id)
    RETURNING kept.tenant, kept.kind, kept.value
""")

_CLAIMED = """unnest(CAST(:claim_tenants AS text[]), CAST(:kinds AS text[]), CAST(:sources AS text[]),
                CAST(:values AS text[]), CAST(:claim_accounts AS uuid[]), CAST(:times AS timestamptz[]))
         AS claimed(tenant, kind, source, value, account_id, claimed_at)"""

# An id names one account: the later claim wins.
_CLAIM = text(f"""
    INSERT INTO account_reference AS kept (tenant, kind, source, value, account_id, claimed_at, released)
    SELECT DISTINCT ON (tenant, kind, source, value) tenant, kind, source, value, account_id, claimed_at, false
    FROM {_CLAIMED} WHERE kind <> 'domain'
    ORDER BY tenant, kind, source, value, claimed_at DESC, account_id
    ON CONFLICT (tenant, kind, source, value) WHERE kind <> 'domain' DO UPDATE
    SET account_id = EXCLUDED.account_id, claimed_at = EXCLUDED.claimed_at, released = false
    WHERE (kept.account_id = EXCLUDED.account_id AND kept.released)
       OR (kept.account_id <> EXCLUDED.account_id
           AND (kept.released OR (kept.kind = 'external' AND kept.claimed_at <= EXCLUDED.claimed_at)))
    RETURNING WITH (OLD AS before, NEW AS after)
        after.tenant, after.kind, after.source, after.value, after.account_id,
        NULLIF(before.account_id, after.account_id) AS previous
""")

# A domain may be several accounts', as of a parent and its children.
_CLAIM_DOMAIN = text(f"""
    INSERT INTO account_reference AS kept (tenant, kind, source, value, account_id, claimed_at, released, stem)
    SELECT DISTINCT ON (tenant, value, account_id) tenant, kind, source, value, account_id, claimed_at, false, stem
    FROM {_CLAIMED} JOIN unnest(CAST(:domains AS text[]), CAST(:stems AS text[])) AS known(value, stem) USING (value)
    WHERE kind = 'domain'
    ORDER BY tenant, value, account_id, claimed_at DESC
    ON CONFLICT (tenant, kind, source, value, account_id) DO UPDATE
    SET claimed_at = EXCLUDED.claimed_at, released = false
    WHERE kept.released
    RETURNING tenant, value
""")

_SOLE = text("""
    SELECT tenant, value, (array_agg(account_id))[1] AS account_id
    FROM unnest(CAST(:tenants AS text[]), CAST(:values AS text[])) AS touched(tenant, value)
    JOIN account_reference USING (tenant, value)
    WHERE kind = 'domain' AND NOT released
    GROUP BY tenant, value HAVING count(*) = 1
""")


@dataclass(frozen=True, slots=True)
class Claim:
    """An account says that it goes by a name; ``said_at`` is the time of the news."""

    tenant: str
    reference: Reference
    account_id: UUID
    said_at: datetime


@dataclass(frozen=True, slots=True)
class Claimed:
    """A reference that names another account than before, or none; ``previous`` is the one it named."""

    tenant: str
    reference: Reference
    account_id: UUID | None
    previous: UUID | None


async def find(session: AsyncSession, tenant: str, references: set[Reference]) -> dict[Reference, UUID]:
    """The accounts that references name, each the only one of its name; else like :func:`claimants`."""
    found = await claimants(session, tenant, references)
    return {reference: accounts[0] for reference, accounts in found.items() if len(accounts) == 1}


async def claimants(
    session: AsyncSession, tenant: str, references: set[Reference]
) -> dict[Reference, tuple[UUID, ...]]:
    """All accounts that references may mean; several share a domain, unless a person said whose it is.

    It stays so until we commit: what is not found can't appear, and what is found can't move.
    """
    if not references:
        return {}
    await session.execute(_HOLD, {"tenant": tenant})
    rows = [(reference.kind, reference.source, reference.value) for reference in references]
    given = {**arrays("kinds sources values", rows), "tenant": tenant}
    found: dict[Reference, tuple[UUID, ...]] = {}
    said = set()
    for row in await session.execute(_FIND, given):
        reference = Reference(kind=row.kind, source=row.source, value=row.value)
        if reference not in said:
            found[reference] = (*found.get(reference, ()), row.account_id)
        if row.said:
            said.add(reference)
    return found


async def hold_matching(session: AsyncSession, tenants: Iterable[str]) -> None:
    """From here on nobody decides that an account of these tenants is unknown until this transaction ends."""
    await session.execute(_HOLD_ALONE, {"tenants": sorted(set(tenants))})


async def rename(session: AsyncSession, accounts: Iterable[tuple[str, UUID]], claims: Sequence[Claim]) -> list[Claimed]:
    """Let accounts (tenant, id) go by exactly the names they claim; gives the names that now find another account."""
    keys = sorted(accounts)
    arrays: dict[str, list[Any]] = {
        "claim_tenants": [claim.tenant for claim in claims],
        "kinds": [claim.reference.kind for claim in claims],
        "sources": [claim.reference.source for claim in claims],
        "values": [claim.reference.value for claim in claims],
        "claim_accounts": [claim.account_id for claim in claims],
    }
    owners = {"tenants": [tenant for tenant, _ in keys], "accounts": [account for _, account in keys]}
    freed = await session.execute(_RELEASE, {**owners, **arrays})
    touched = {(row.tenant, row.value) for row in freed if row.kind == "domain"}
    arrays["times"] = [claim.said_at for claim in claims]
    found = [
        Claimed(
            row.tenant,
            Reference(kind=row.kind, source=row.source, value=row.value),
            row.account_id,
            row.previous if row.kind == "external" else None,
        )
        for row in await session.execute(_CLAIM, arrays)
    ]
    domains = sorted({claim.reference.value for claim in claims if claim.reference.kind == "domain"})
    given = {**arrays, "domains": domains, "stems": [stem(domain) for domain in domains]}
    touched |= {(row.tenant, row.value) for row in await session.execute(_CLAIM_DOMAIN, given)}
    return found + await _sole(session, touched)


async def _sole(session: AsyncSession, touched: set[tuple[str, str]]) -> list[Claimed]:
    """The domains that now name exactly one account."""
    if not touched:
        return []
    arrays = {"tenants": [tenant for tenant, _ in touched], "values": [value for _, value in touched]}
    return [
        Claimed(row.tenant, Reference(kind="domain", value=row.value), row.account_id, None)
        for row in await session.execute(_SOLE, arrays)
    ]
