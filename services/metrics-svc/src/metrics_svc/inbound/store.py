"""The SQL of deliveries, and taking in what foreign systems tell, of which nobody has looked at the values yet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from bellwether_kit.db import UnitOfWork
from bellwether_kit.errors import DomainError
from bellwether_kit.ids import uuid7
from metrics_svc.errors import UnkeepableValue
from metrics_svc.inbound.rules import RECORD_KEPT
from metrics_svc.intake.rules import Told, fitted
from metrics_svc.intake.store import Result, accept

WORKED_BODY_KEPT = timedelta(days=1)
FAILED_BODY_KEPT = timedelta(days=14)
"""Long enough to mend what made it fail and to try it again."""
_BATCH = 500

_ADD = text("""
    INSERT INTO inbound_delivery (tenant, delivery_id, connection_id, nonce, received_at, status, body,
                                  counts, unread, rejected, due_at)
    VALUES (:tenant, :id, :connection_id, :nonce, :now, 'received', :body, '{}', '[]', '[]', :now)
    ON CONFLICT (tenant, connection_id, nonce) DO NOTHING RETURNING delivery_id
""")
_SETTLE = text("""
    UPDATE inbound_delivery
    SET status = :status, counts = CAST(:counts AS jsonb), unread = CAST(:unread AS jsonb),
        rejected = CAST(:rejected AS jsonb), reason = :reason, worked_at = :now, due_at = NULL,
        forget_at = least(CAST(:forget_at AS timestamptz), received_at + CAST(:kept AS interval))
    WHERE tenant = :tenant AND delivery_id = :id
""")
_SHOWN = """
    SELECT delivery_id, connection_id, received_at, status, counts, unread, rejected, reason, worked_at,
           status = 'failed' AND body IS NOT NULL AS retryable
    FROM inbound_delivery WHERE tenant = :tenant
"""
_ONE = text(_SHOWN + " AND delivery_id = :id")
_LISTED = text(
    _SHOWN
    + """
    AND (CAST(:status AS text) IS NULL OR status = :status)
    AND (CAST(:connection_id AS uuid) IS NULL OR connection_id = :connection_id)
    AND (CAST(:before AS timestamptz) IS NULL OR (received_at, delivery_id) < (:before, CAST(:before_id AS uuid)))
    ORDER BY received_at DESC, delivery_id DESC LIMIT :limit
"""
)
_RETRY = text("""
    UPDATE inbound_delivery SET status = 'received', due_at = :now, forget_at = NULL, reason = NULL
    WHERE tenant = :tenant AND delivery_id = :id AND status = 'failed' AND body IS NOT NULL RETURNING delivery_id
""")
_KEYS = "unnest(CAST(:tenants AS text[]), CAST(:ids AS uuid[])) AS old(tenant, id)"
_REMOVE = text(f"""
    DELETE FROM inbound_delivery AS d USING {_KEYS}
    WHERE d.tenant = old.tenant AND d.delivery_id = old.id AND d.body IS NULL
""")
_EMPTY = text(f"""
    UPDATE inbound_delivery AS d SET body = NULL, forget_at = d.received_at + CAST(:kept AS interval) FROM {_KEYS}
    WHERE d.tenant = old.tenant AND d.delivery_id = old.id AND d.body IS NOT NULL
""")
# What is still to be worked was answered for: it is worked first.
_REMOVE_OLD = text("""
    DELETE FROM inbound_delivery WHERE tenant = :tenant AND delivery_id IN (
        SELECT delivery_id FROM inbound_delivery
        WHERE tenant = :tenant AND received_at < :before AND due_at IS NULL
        ORDER BY received_at, delivery_id LIMIT :limit)
    RETURNING delivery_id
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What working a delivery came to; ``reason`` is why it failed."""

    counts: Mapping[str, int] = field(default_factory=dict)
    unread: Sequence[Mapping[str, Any]] = ()
    rejected: Sequence[Mapping[str, Any]] = ()
    reason: str | None = None


async def accept_foreign(
    uow: UnitOfWork, tenant: str, told: Sequence[Told], *, author: str, dry_run: bool = False
) -> list[Result | DomainError]:
    """Take in what a foreign system tells as ``accept`` does, and refuse what could not be kept."""
    fit = [fitted(item) for item in told]
    keepable = [item for item in fit if isinstance(item, Told)]
    found: list[Result | DomainError] = []
    for start in range(0, len(keepable), _BATCH):
        found += await accept(uow, tenant, keepable[start : start + _BATCH], author=author, dry_run=dry_run)
    became = iter(found)
    return [next(became) if isinstance(item, Told) else UnkeepableValue(item[1], pointer=item[0]) for item in fit]


async def add(uow: UnitOfWork, tenant: str, connection_id: UUID, *, nonce: str | None, body: bytes) -> bool:
    """Keep a delivery to be worked now; says False, and keeps nothing, when one of this nonce came before."""
    values = {
        "tenant": tenant,
        "id": uuid7(),
        "connection_id": connection_id,
        "nonce": None if nonce is None else sha256(nonce.encode(errors="surrogateescape")).digest(),
        "body": body,
        "now": uow.now,
    }
    return (await uow.session.execute(_ADD, values)).one_or_none() is not None


async def settle(uow: UnitOfWork, tenant: str, delivery_id: UUID, outcome: Outcome) -> None:
    """Note what became of a delivery, and how long its body is still kept."""
    failed = outcome.reason is not None
    values = {
        "tenant": tenant,
        "id": delivery_id,
        "status": "failed" if failed else "worked",
        "counts": _json(outcome.counts),
        "unread": _json(outcome.unread),
        "rejected": _json(outcome.rejected),
        "reason": outcome.reason,
        "now": uow.now,
        "forget_at": uow.now + (FAILED_BODY_KEPT if failed else WORKED_BODY_KEPT),
        "kept": RECORD_KEPT,
    }
    await uow.session.execute(_SETTLE, values)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


async def listed(
    session: AsyncSession,
    tenant: str,
    *,
    status: str | None,
    connection_id: UUID | None,
    after: Sequence[str] | None,
    limit: int,
) -> Sequence[Row[Any]]:
    """The deliveries, the latest first, without their bodies."""
    before, before_id = after or (None, None)
    values = {"status": status, "connection_id": connection_id, "before": before, "before_id": before_id}
    return (await session.execute(_LISTED, {"tenant": tenant, "limit": limit} | values)).all()


async def one(session: AsyncSession, tenant: str, delivery_id: UUID) -> Row[Any] | None:
    """One delivery without its body."""
    return (await session.execute(_ONE, {"tenant": tenant, "id": delivery_id})).one_or_none()


async def retry(session: AsyncSession, tenant: str, delivery_id: UUID, now: datetime) -> bool:
    """Let a failed delivery be worked again; says False when it did not fail or its body is gone."""
    values = {"tenant": tenant, "id": delivery_id, "now": now}
    return (await session.execute(_RETRY, values)).one_or_none() is not None


async def forget(session: AsyncSession, deliveries: Sequence[tuple[str, UUID]]) -> None:
    """Forget the bodies of ``deliveries``, and those that have none any more altogether."""
    keys = {"tenants": [tenant for tenant, _ in deliveries], "ids": [id_ for _, id_ in deliveries]}
    await session.execute(_REMOVE, keys)
    await session.execute(_EMPTY, keys | {"kept": RECORD_KEPT})


async def remove_old(session: AsyncSession, tenant: str, before: datetime, limit: int) -> int:
    """Remove a tenant's oldest deliveries that came before a moment, bodies and all; gives how many there were."""
    given = {"tenant": tenant, "before": before, "limit": limit}
    return len((await session.execute(_REMOVE_OLD, given)).all())
