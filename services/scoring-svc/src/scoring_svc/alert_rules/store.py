"""All SQL of alert rules: the configuration in force per tenant, and its history."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bellwether_kit.db import one_at_a_time
from scoring_svc.alert_rules.rules import DEFAULT_RULES, RuleConfig
from scoring_svc.alert_rules.tables import AlertRuleRow

_IN_FORCE = text("""
    SELECT DISTINCT ON (tenant, rule) tenant, rule, configuration
    FROM alert_rule WHERE tenant = ANY(CAST(:tenants AS text[]))
    ORDER BY tenant, rule, version DESC
""")
# Every account of the tenant is looked at again, and reads from the ledger what its rules track now.
_LOOK_AGAIN = text("UPDATE account_health SET stale = true, next_evaluation_at = :now WHERE tenant = :tenant")


def from_row(rule: str, configuration: Mapping[str, object]) -> RuleConfig:
    """The configuration that a stored version stands for: the documented default with its differences."""
    changed: dict[str, Any] = {
        key: frozenset(map(UUID, value) if key == "channels" else value) if isinstance(value, list) else value
        for key, value in configuration.items()
    }
    return replace(DEFAULT_RULES[rule], **changed)


async def in_force(session: AsyncSession, tenants: Collection[str]) -> dict[str, dict[str, RuleConfig]]:
    """Each tenant's rules as they apply now, in the order of the documented defaults."""
    rules = {tenant: dict(DEFAULT_RULES) for tenant in tenants}
    for tenant, rule, configuration in await session.execute(_IN_FORCE, {"tenants": list(tenants)}):
        if rule in DEFAULT_RULES:
            rules[tenant][rule] = from_row(rule, configuration)
    return rules


async def versions(session: AsyncSession, tenant: str, rule: str) -> Sequence[AlertRuleRow]:
    """Every change of the rule, newest first."""
    query = select(AlertRuleRow).where(AlertRuleRow.tenant == tenant, AlertRuleRow.rule == rule)
    return (await session.scalars(query.order_by(col(AlertRuleRow.version).desc()))).all()


async def lock(session: AsyncSession, tenant: str, rule: str) -> None:
    """Let one change of a rule follow the other, also the first one, for which there is no row to lock."""
    await one_at_a_time(session, f"{tenant}/{rule}")


async def change(session: AsyncSession, row: AlertRuleRow, config: RuleConfig) -> None:
    """Put a new version in force and have every account of the tenant evaluated under it."""
    default = asdict(DEFAULT_RULES[row.rule])
    row.configuration = {
        key: sorted(map(str, value)) if isinstance(value, frozenset) else value
        for key, value in asdict(config).items()
        if value != default[key]
    }
    session.add(row)
    await session.execute(_LOOK_AGAIN, {"tenant": row.tenant, "now": row.changed_at})
