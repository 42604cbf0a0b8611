"""All SQL of the queue of names that find no account, and of the clues as to whose they may be."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from metrics_svc.activities.rules import Reference
from metrics_svc.references.rules import stem
from metrics_svc.unmatched import rules
from metrics_svc.unmatched.rules import Clue, Suggestion, label

_HELD = """held.tenant = :tenant AND held.account_id IS NULL AND held.placed_by IS NULL
      AND held.reference_kind = {0}kind AND held.reference_source = {0}source AND held.reference_value = {0}value"""

_QUEUE = text(f"""
    WITH page AS (
        SELECT * FROM (
            SELECT reference_kind AS kind, reference_source AS source, reference_value AS value, count(*) AS n
            FROM activity WHERE tenant = :tenant AND account_id IS NULL AND placed_by IS NULL
            GROUP BY reference_kind, reference_source, reference_value
        ) AS held
        WHERE EXISTS (
            SELECT FROM reference_word AS said
            WHERE said.tenant = :tenant AND said.kind = held.kind AND said.source = held.source
              AND said.value = held.value AND said.account_id IS NULL) = :dismissed
          AND (CAST(:n AS bigint) IS NULL OR n < :n
               OR (n = :n AND (kind, source, value)
                            > (CAST(:kind AS text), CAST(:source AS text), CAST(:value AS text))))
        ORDER BY n DESC, kind, source, value LIMIT :limit
    )
    SELECT page.kind, page.source, page.value, page.n, seen.*
    FROM page CROSS JOIN LATERAL (
        SELECT min(occurred_at) AS first_at, max(occurred_at) AS last_at, array_agg(DISTINCT held.source) AS sources,
               array_agg(DISTINCT type) AS types
        FROM activity AS held WHERE {_HELD.format("page.")}
    ) AS seen
    ORDER BY page.n DESC, page.kind, page.source, page.value
""")

_WANTED = """
    WITH wanted AS (
        SELECT * FROM unnest(CAST(:kinds AS text[]), CAST(:sources AS text[]), CAST(:values AS text[]),
                             CAST(:stems AS text[]), CAST(:labels AS text[]))
                 AS wanted(kind, source, value, stem, label)
    )"""

_PEOPLE = text(f"""
    {_WANTED}, people AS MATERIALIZED (
        SELECT DISTINCT wanted.kind, wanted.source, wanted.value, contact_id
        FROM wanted CROSS JOIN LATERAL (
            SELECT contact_ids FROM activity AS held WHERE {_HELD.format("wanted.")} LIMIT 200
        ) AS latest CROSS JOIN LATERAL unnest(contact_ids) AS known(contact_id)
    )
    SELECT kind, source, value, account_id, count(*) AS known,
           (SELECT count(*) FROM people AS every
            WHERE (every.kind, every.source, every.value) = (people.kind, people.source, people.value)) AS people
    FROM people JOIN touch ON touch.tenant = :tenant AND touch.contact_id = people.contact_id
    GROUP BY kind, source, value, account_id
""")

_NAMES = text(f"""
    {_WANTED}
    SELECT wanted.kind, wanted.source, wanted.value, known.account_id, known.value AS known
    FROM wanted JOIN account_reference AS known ON known.tenant = :tenant AND NOT known.released
     AND ((wanted.kind = 'external' AND known.kind = 'external' AND known.value = wanted.value)
          OR (wanted.kind = 'domain' AND known.kind = 'domain' AND known.stem = wanted.stem))
""")

_ALIKE = text(f"""
    {_WANTED}
    SELECT wanted.kind, wanted.source, wanted.value, wanted.label, alike.account_id, alike.name_key
    FROM wanted CROSS JOIN LATERAL (
        SELECT account_id, name_key FROM account
        WHERE tenant = :tenant AND NOT removed AND name_key >= left(lower(wanted.label), 3)
          AND name_key < left(lower(wanted.label), 3) || chr(1114111)
        ORDER BY name_key LIMIT 200
    ) AS alike
    WHERE wanted.label IS NOT NULL
""")

_ACCOUNTS = text("""
    SELECT account_id, name FROM account
    WHERE tenant = :tenant AND account_id = ANY(CAST(:accounts AS uuid[])) AND NOT removed
""")


async def queue(
    session: AsyncSession, tenant: str, *, dismissed: bool, after: Sequence[Any] | None, limit: int
) -> Sequence[Row[Any]]:
    """Names without an account and how much is held for each, the most first, from a position (count, name) on."""
    n, *name = after or (None, None, None, None)
    given = {"n": n, **dict(zip(("kind", "source", "value"), name, strict=True)), "dismissed": dismissed}
    return (await session.execute(_QUEUE, {"tenant": tenant, "limit": limit, **given})).all()


async def suggestions(
    session: AsyncSession, tenant: str, names: Sequence[Reference]
) -> dict[Reference, list[tuple[Suggestion, str | None]]]:
    """The accounts that each of the names may mean, the surest first, with what they are called."""
    if not names:
        return {}
    clues = await _clues(session, tenant, names)
    found = {account for known in clues.values() for account in {clue.account_id for clue in known}}
    called = {
        row.account_id: row.name
        for row in await session.execute(_ACCOUNTS, {"tenant": tenant, "accounts": list(found)})
    }
    return {
        name: [
            (one, called[one.account_id])
            for one in rules.suggestions(clue for clue in clues[name] if clue.account_id in called)
        ]
        for name in names
    }


async def _clues(session: AsyncSession, tenant: str, names: Sequence[Reference]) -> dict[Reference, list[Clue]]:
    given: dict[str, Any] = {
        "tenant": tenant,
        "kinds": [name.kind for name in names],
        "sources": [name.source for name in names],
        "values": [name.value for name in names],
        "stems": [stem(name.value) for name in names],
        "labels": [label(name) for name in names],
    }
    clues: dict[Reference, list[Clue]] = defaultdict(list)
    for row in await session.execute(_PEOPLE, given):
        clues[_name(row)].append(rules.by_people(row.account_id, row.known, row.people))
    for row in await session.execute(_NAMES, given):
        by_domain = row.kind == "domain"
        clue = rules.by_domain(row.account_id, row.value, row.known) if by_domain else rules.by_id(row.account_id)
        clues[_name(row)].append(clue)
    for row in await session.execute(_ALIKE, given):
        if alike := rules.by_name(row.account_id, row.label, row.name_key):
            clues[_name(row)].append(alike)
    return clues


def _name(row: Row[Any]) -> Reference:
    return Reference(kind=row.kind, source=row.source, value=row.value)
