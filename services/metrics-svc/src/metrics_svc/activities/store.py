"""All SQL of activities: finding them, and giving them to accounts and people. They come in by ``intake``."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from metrics_svc.accounts import store as accounts
from metrics_svc.activities.rules import Activity, Change
from metrics_svc.contacts import store as contacts
from metrics_svc.references.store import Claimed

READ = (
    "tenant, activity_id, source, revision, type, direction, outcome, occurred_at, recorded_at, starts_at, "
    "updated_at, account_id, contact_ids, owner_id, asks_reply, meeting_id, amount, kind, magnitude"
)
"""The columns an :class:`Activity` is made of."""

_FIELDS = READ.replace(" ", "").split(",")

BEFORE = ", ".join(f"before.{name} AS before_{name}" for name in _FIELDS)
"""What a statement returns with (OLD AS before) for ``activity_of(row, "before_")``."""

BEFORE_AND_AFTER = ", ".join(f"{side}.{name} AS {side}_{name}" for side in ("before", "after") for name in _FIELDS)
"""What a statement returns with (OLD AS before, NEW AS after) for :func:`changes_of`."""

_SINCE = text(f"""
    SELECT {READ}
    FROM unnest(CAST(:tenants AS text[]), CAST(:accounts AS uuid[]), CAST(:times AS timestamptz[]))
         AS wanted(tenant, account_id, since)
    JOIN activity USING (tenant, account_id)
    WHERE occurred_at >= since
""")

_MATCH = text(f"""
    WITH named AS (
        SELECT * FROM unnest(CAST(:tenants AS text[]), CAST(:kinds AS text[]), CAST(:sources AS text[]),
                             CAST(:values AS text[]), CAST(:accounts AS uuid[]), CAST(:previous AS uuid[]))
                 AS named(tenant, kind, source, value, account_id, previous)
        WHERE NOT EXISTS (
            SELECT FROM reference_word AS said
            WHERE said.tenant = named.tenant AND said.kind = named.kind AND said.source = named.source
              AND said.value = named.value AND said.account_id IS NOT NULL AND NOT said.undone)
    )
    UPDATE activity AS kept SET account_id = found.account_id
    FROM (
        SELECT held.tenant, held.activity_id, named.account_id
        FROM named JOIN activity AS held
          ON held.tenant = named.tenant AND held.account_id IS NULL AND held.placed_by IS NULL
         AND held.reference_kind = named.kind AND held.reference_source = named.source
         AND held.reference_value = named.value
        UNION ALL
        SELECT held.tenant, held.activity_id, named.account_id
        FROM named JOIN activity AS held
          ON held.tenant = named.tenant AND held.account_id = named.previous AND held.placed_by IS NULL
         AND held.reference_kind = named.kind AND held.reference_source = named.source
         AND held.reference_value = named.value
    ) AS found
    WHERE kept.tenant = found.tenant AND kept.activity_id = found.activity_id
    RETURNING WITH (OLD AS before, NEW AS after)
        before.account_id AS previous, {", ".join(f"after.{name} AS {name}" for name in _FIELDS)}
""")

_REKEY = text(f"""
    WITH named AS (
        SELECT * FROM unnest(CAST(:tenants AS text[]), CAST(:accounts AS uuid[]), CAST(:aliases AS uuid[]),
                             CAST(:contacts AS uuid[])) AS named(tenant, account_id, alias_id, contact_id)
    ), found AS (
        SELECT DISTINCT tenant, activity_id FROM named JOIN activity AS a USING (tenant)
        WHERE (a.account_id = named.account_id OR a.account_id IS NULL) AND alias_id = ANY(a.contact_ids)
    )
    UPDATE activity AS kept
    SET contact_ids = ARRAY(
            SELECT coalesce(contact_id, said)
            FROM unnest(kept.contact_ids) WITH ORDINALITY AS listed(said, place)
            LEFT JOIN named ON named.tenant = kept.tenant AND alias_id = said
            GROUP BY 1 ORDER BY min(place)
        ),
        asked_contact = coalesce(
            (SELECT DISTINCT contact_id FROM named WHERE named.tenant = kept.tenant AND alias_id = asked_contact),
            asked_contact
        )
    FROM found WHERE (kept.tenant, kept.activity_id) = (found.tenant, found.activity_id)
    RETURNING WITH (OLD AS before, NEW AS after) {BEFORE_AND_AFTER}
""")


_VIEW = (
    "activity_id AS id, source, external_id, revision, type, direction, outcome, occurred_at, recorded_at, starts_at, "
    "account_id, placed_by, contact_ids, owner_id, asks_reply, thread, in_reply_to, amount, currency, subject, "
    "attributes, kind, magnitude, note, author"
)

_FILTERS = {
    "account_id": "account_id = :account_id",
    "type": "type = :type",
    "source": "source = :source",
    "unmatched": "account_id IS NULL",
    "from_": "occurred_at >= :from_",
    "to": "occurred_at < :to",
}


def activity_of(row: Row[Any], prefix: str = "") -> Activity:
    """The activity a row of :data:`READ` columns stands for."""
    values = {name: getattr(row, prefix + name) for name in _FIELDS}
    values["contact_ids"] = tuple(values["contact_ids"])
    return Activity(**values)


def changes_of(rows: Iterable[Row[Any]]) -> list[Change]:
    """The changes that rows of :data:`BEFORE_AND_AFTER` stand for."""
    return [
        Change(
            activity_of(row, "before_") if row.before_activity_id is not None else None,
            activity_of(row, "after_"),
        )
        for row in rows
    ]


async def since(session: AsyncSession, wanted: Mapping[accounts.Key, datetime]) -> list[Activity]:
    """All activities of accounts from a moment on, for deriving anew."""
    if not wanted:
        return []
    arrays = {
        "tenants": [tenant for tenant, _ in wanted],
        "accounts": [account for _, account in wanted],
        "times": list(wanted.values()),
    }
    return [activity_of(row) for row in await session.execute(_SINCE, arrays)]


async def match(session: AsyncSession, claims: Sequence[Claimed]) -> list[Change]:
    """Give the activities named by newly claimed references to their accounts.

    Takes those held back and those of the account that had the name before.
    """
    if not claims:
        return []
    arrays = {
        "tenants": [claim.tenant for claim in claims],
        "kinds": [claim.reference.kind for claim in claims],
        "sources": [claim.reference.source for claim in claims],
        "values": [claim.reference.value for claim in claims],
        "accounts": [claim.account_id for claim in claims],
        "previous": [claim.previous for claim in claims],
    }
    changes = []
    for row in await session.execute(_MATCH, arrays):
        after = activity_of(row)
        changes.append(Change(replace(after, account_id=row.previous), after))
    return changes


async def rekey(session: AsyncSession, aliases: Sequence[contacts.Claimed]) -> list[Change]:
    """Name people by the id that is now known for them in the activities of their account and in those held back."""
    if not aliases:
        return []
    arrays = {
        "tenants": [alias.tenant for alias in aliases],
        "accounts": [alias.account_id for alias in aliases],
        "aliases": [alias.alias_id for alias in aliases],
        "contacts": [alias.contact_id for alias in aliases],
    }
    return changes_of(await session.execute(_REKEY, arrays))


async def listed(
    session: AsyncSession, tenant: str, filters: Mapping[str, Any], *, after: Sequence[Any] | None, limit: int
) -> Sequence[Row[Any]]:
    """Activities that fit, the latest first, from a position (time, id) on."""
    given = {name: value for name, value in filters.items() if value}
    where = ["tenant = :tenant", *(_FILTERS[name] for name in given)]
    if after is not None:
        where.append("(occurred_at, activity_id) < (CAST(:at AS timestamptz), CAST(:id AS uuid))")
        given |= {"at": after[0], "id": after[1]}
    query = (
        f"SELECT {_VIEW} FROM activity WHERE {' AND '.join(where)} "
        "ORDER BY occurred_at DESC, activity_id DESC LIMIT :limit"
    )
    return (await session.execute(text(query), {"tenant": tenant, "limit": limit, **given})).all()


async def one(session: AsyncSession, tenant: str, id_: UUID) -> Row[Any] | None:
    """The activity of an id, or None."""
    query = text(f"SELECT {_VIEW} FROM activity WHERE tenant = :tenant AND activity_id = :id")
    return (await session.execute(query, {"tenant": tenant, "id": id_})).first()
