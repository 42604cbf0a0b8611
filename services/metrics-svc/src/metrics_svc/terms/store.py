"""All SQL of what derivation goes by: the versions of a tenant's rules, and its calendars."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from functools import cache, lru_cache
from typing import Any

import holidays
import msgspec
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from bellwether_kit.db import UnitOfWork, one_at_a_time
from metrics_svc.accounts.store import Key
from metrics_svc.derivation.rules import Policy, RuleBook, Terms, weekdays
from metrics_svc.evidence.rules import CATALOGUE, Kind

_BOOKS = text("""
    SELECT tenant, applies_from, CAST(policy AS text) AS policy FROM derivation_rules
    WHERE tenant = ANY(CAST(:tenants AS text[])) ORDER BY tenant, version
""")

_LATEST = text("""
    SELECT version, applies_from, CAST(policy AS text) AS document, author, reason, changed_at
    FROM derivation_rules
    WHERE tenant = :tenant AND version < :before ORDER BY version DESC LIMIT :limit
""")

_ADD = text("""
    INSERT INTO derivation_rules (tenant, version, applies_from, policy, author, reason, changed_at)
    VALUES (:tenant, :version, :applies_from, CAST(:policy AS jsonb), :author, :reason, :now)
""")


@cache
def _calendar(country: str) -> holidays.HolidayBase | None:
    try:
        return holidays.country_holidays(country)
    except NotImplementedError:  # a country the library does not know has Monday to Friday
        return None


@lru_cache(maxsize=100_000)
def working_day(country: str | None, day: date) -> bool:
    """Whether a date is a business day in a country: neither its weekend nor a public holiday."""
    calendar = _calendar(country) if country else None
    return bool(calendar.is_working_day(day)) if calendar is not None else weekdays(country, day)


async def terms(session: AsyncSession, now: datetime, countries: Mapping[Key, str | None]) -> Terms:
    """What derivation for these accounts goes by."""
    return Terms(
        as_of=now,
        books=await _books(session, {tenant for tenant, _ in countries}),
        countries=countries,
        working_day=working_day,
    )


async def _books(session: AsyncSession, tenants: Iterable[str]) -> dict[str, RuleBook]:
    versions: dict[str, list[tuple[datetime, Policy]]] = defaultdict(list)
    for row in await session.execute(_BOOKS, {"tenants": sorted(tenants)}):
        versions[row.tenant].append((row.applies_from, policy_of(row.policy)))
    return {tenant: _book(known) for tenant, known in versions.items()}


def _book(versions: Sequence[tuple[datetime, Policy]]) -> RuleBook:
    in_force: list[tuple[datetime, Policy]] = []
    for applies_from, policy in versions:
        in_force = [*(entry for entry in in_force if entry[0] < applies_from), (applies_from, policy)]
    return RuleBook(tuple(in_force), versions=tuple(policy for _, policy in versions))


@lru_cache(maxsize=1_000)
def policy_of(document: str) -> Policy:
    """The policy a stored document (JSON) stands for; what it does not name has its default."""
    return msgspec.json.decode(document, type=Policy)


async def catalogue(session: AsyncSession, tenant: str) -> Mapping[str, Kind]:
    """Every kind of evidence of a tenant by its code: ours, then its own."""
    latest = await versions(session, tenant)
    return {**CATALOGUE, **{kind.code: kind for row in latest for kind in policy_of(row.document).kinds}}


async def attributes_read(session: AsyncSession, tenant: str) -> list[str]:
    """The attributes of activities that a tenant's rules ever looked at: derivation needs these and no others."""
    book = (await _books(session, [tenant])).get(tenant, RuleBook())
    return sorted({name for policy in book.every() for signal in policy.signals for name in signal.attributes})


async def versions(
    session: AsyncSession, tenant: str, *, before: int = 2**31 - 1, limit: int = 1
) -> Sequence[Row[Any]]:
    """Versions of a tenant's rules, the newest first."""
    rows = await session.execute(_LATEST, {"tenant": tenant, "before": before, "limit": limit})
    return rows.all()


async def lock_rules(session: AsyncSession, tenant: str) -> None:
    """Let one change of a tenant's rules at a time look at the last version."""
    await one_at_a_time(session, f"derivation-rules/{tenant}")


async def add(
    uow: UnitOfWork, tenant: str, version: int, applies_from: datetime, policy: Policy, *, author: str, reason: str
) -> None:
    """Add a version of a tenant's rules."""
    given = {
        "tenant": tenant,
        "version": version,
        "applies_from": applies_from,
        "policy": msgspec.json.encode(asdict(policy)).decode(),
        "author": author,
        "reason": reason,
        "now": uow.now,
    }
    await uow.session.execute(_ADD, given)
