"""A tenant's whole state, to be compared with a later one: answers, rows in every table, events on every topic."""

from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier
from records import TOPICS, read
from routes import known_ids, reads
from tenants import Tenant

MOMENTS = {
    "accounts/{account_id}/health/explanation": "at",
    "accounts/{account_id}/evidence-metrics": "to",
    "accounts/{account_id}/satisfaction": "to",
}
"""Routes that answer as of now unless they are told a moment, and how to tell them."""
LEFT_OUT = {
    "sources": "counts whatever is heard, repetitions too",
}
"""Routes that rightly answer otherwise after a repetition, and why."""
OF_NOW = frozenset({"computed_at", "silence_days"})
"""What goes on with time alone: when something was last computed, and for how long nobody was heard."""
COUNTING = "source_day"
"""The table behind ``sources``: spread over rows, so that a repetition may add one."""
_TABLES = """
    SELECT table_name FROM information_schema.columns
    WHERE table_schema = 'public' AND column_name = 'tenant' AND table_name <> %s ORDER BY table_name
"""


def answers(tenant: Tenant) -> dict[str, Any]:
    """What every reading route answers that the tenant has an id for."""
    ids = known_ids(tenant)
    moment = tenant.get("scoring", f"accounts/{ids['account_id']}/health")["evaluated_at"]
    found: dict[str, Any] = {}
    for each in reads(tenant.stack):
        if each.ids <= ids.keys() and each.is_json and each.route not in LEFT_OUT:
            query = each.query | ({MOMENTS[each.route]: moment} if each.route in MOMENTS else {})
            answer = tenant.get(each.service, each.filled(ids), **query)
            found[f"{each.service} {each.route}"] = _without_now(answer)
    return found


def _without_now(answer: Any) -> Any:
    if isinstance(answer, dict):
        return {name: _without_now(value) for name, value in answer.items() if name not in OF_NOW}
    return [_without_now(item) for item in answer] if isinstance(answer, list) else answer


def rows(tenant: Tenant) -> dict[str, int]:
    """How many rows of the tenant's there are in each table, by service and table."""
    found = {}
    for service in tenant.stack.layout.services:
        with _superuser(tenant, service) as session:
            for (table,) in session.execute(_TABLES, [COUNTING]).fetchall():
                count = SQL("SELECT count(*) FROM {} WHERE tenant = %s").format(Identifier(table))
                [number] = session.execute(count, [tenant.name]).fetchone() or [0]
                found[f"{service} {table}"] = int(number)
    return found


def dead_letters(tenant: Tenant, service: str) -> list[tuple[str, int]]:
    """(error type, offset) of what the service could not handle among the records with the tenant's key."""
    with _superuser(tenant, service) as session:
        found = session.execute(
            "SELECT error_type, \"offset\" FROM dead_letter WHERE starts_with(convert_from(key, 'UTF8'), %s)",
            [f"{tenant.name}/"],
        )
        return sorted((str(kind), int(offset)) for kind, offset in found.fetchall())


async def events(tenant: Tenant) -> list[tuple[str, str, str]]:
    """Topic, key and event id of every record of the tenant's, sorted."""
    records = await read(tenant.stack, *TOPICS, tenant=tenant.name)
    return sorted((record.topic, record.key, str(record.event.get("id"))) for record in records)


async def picture(tenant: Tenant) -> dict[str, Any]:
    """All of it."""
    return {"answers": answers(tenant), "rows": rows(tenant), "events": await events(tenant)}


def _superuser(tenant: Tenant, service: str) -> psycopg.Connection[Any]:
    server = tenant.stack.layout.postgres_url.rpartition("/")[0]
    return psycopg.connect(f"{server}/{service}", autocommit=True)
