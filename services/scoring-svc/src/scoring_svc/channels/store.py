"""The SQL of channels and their secrets."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from cryptography.fernet import InvalidToken, MultiFernet
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from bellwether_kit.db import UnitOfWork, arrays
from bellwether_kit.ids import uuid7
from scoring_svc.channels.rules import LIVE_SECRETS
from scoring_svc.errors import ChannelNameTaken, TooManySecrets, UnknownChannel, UnknownSecret

log = structlog.get_logger(__name__)

_SHOWN = """
    SELECT c.*, (
        SELECT coalesce(jsonb_agg(jsonb_build_object(
            'id', s.secret_id, 'created_at', s.created_at, 'created_by', s.created_by) ORDER BY s.secret_id), '[]')
        FROM channel_secret AS s WHERE s.tenant = c.tenant AND s.channel_id = c.channel_id
    ) AS secrets
    FROM channel AS c WHERE c.tenant = :tenant AND c.removed_at IS NULL
"""
_LISTED = text(_SHOWN + " AND c.channel_id > :after ORDER BY c.channel_id LIMIT :limit")
_ONE = text(_SHOWN + " AND c.channel_id = :id")
_LOCK = text("SELECT 1 FROM channel WHERE tenant = :tenant AND channel_id = :id AND removed_at IS NULL FOR UPDATE")
_NAMED = text("""
    SELECT 1 FROM channel WHERE tenant = :tenant AND name = :name AND removed_at IS NULL AND channel_id <> :id
""")
_ADD = text("""
    INSERT INTO channel (tenant, channel_id, name, kind, address, recipients, version, author, reason, changed_at)
    VALUES (:tenant, :id, :name, :kind, :address, :recipients, 1, :author, :reason, :now)
    ON CONFLICT (tenant, name) WHERE removed_at IS NULL DO NOTHING RETURNING channel_id
""")
_CHANGE = text("""
    UPDATE channel SET name = :name, recipients = :recipients, disabled_at = :disabled_at, version = version + 1,
        author = :author, reason = :reason, changed_at = :now
    WHERE tenant = :tenant AND channel_id = :id
""")
_REMOVE = text("""
    UPDATE channel SET removed_at = :now, version = version + 1, author = :author, reason = :reason, changed_at = :now
    WHERE tenant = :tenant AND channel_id = :id
""")
_FORGET_SECRETS = text("DELETE FROM channel_secret WHERE tenant = :tenant AND channel_id = :id")
_SECRETS = text("SELECT count(*) FROM channel_secret WHERE tenant = :tenant AND channel_id = :id")
_ADD_SECRET = text("""
    INSERT INTO channel_secret (tenant, channel_id, secret_id, sealed, created_at, created_by)
    VALUES (:tenant, :id, :secret_id, :sealed, :now, :author)
""")
_REMOVE_SECRET = text("""
    DELETE FROM channel_secret
    WHERE tenant = :tenant AND channel_id = :id AND secret_id = :secret_id RETURNING secret_id
""")
_OPENED = text("""
    SELECT c.tenant, c.channel_id, c.kind, c.address, c.recipients, c.disabled_at,
           array_remove(array_agg(s.sealed ORDER BY s.secret_id DESC), NULL) AS sealed
    FROM unnest(CAST(:tenant AS text[]), CAST(:channel_id AS uuid[])) AS k(tenant, channel_id)
    JOIN channel AS c USING (tenant, channel_id) LEFT JOIN channel_secret AS s USING (tenant, channel_id)
    WHERE c.removed_at IS NULL
    GROUP BY c.tenant, c.channel_id
""")
_GONE = text("""
    UPDATE channel SET disabled_at = :now, version = version + 1, author = 'bellwether', changed_at = :now,
        reason = 'The receiver says that it is gone (410).'
    FROM unnest(CAST(:tenant AS text[]), CAST(:channel_id AS uuid[])) AS k(tenant, channel_id)
    WHERE channel.tenant = k.tenant AND channel.channel_id = k.channel_id AND channel.disabled_at IS NULL
""")
_KINDS = text("""
    SELECT channel_id, kind FROM channel
    WHERE tenant = :tenant AND channel_id = ANY(CAST(:ids AS uuid[])) AND removed_at IS NULL
""")
_IN_USE = text("""
    SELECT 1 FROM channel
    WHERE tenant = :tenant AND channel_id = :id AND removed_at IS NULL AND disabled_at IS NULL
""")


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel as it is sent to: its secrets in clear, the newest first."""

    kind: str
    address: str | None
    recipients: Sequence[str]
    is_disabled: bool
    secrets: Sequence[str]


async def listed(session: AsyncSession, tenant: str, *, after: UUID, limit: int) -> Sequence[Row[Any]]:
    """The channels after an id, the oldest first, each with its secrets' ids."""
    return (await session.execute(_LISTED, {"tenant": tenant, "after": after, "limit": limit})).all()


async def one(session: AsyncSession, tenant: str, channel_id: UUID) -> Row[Any]:
    """One channel with its secrets' ids; raises UnknownChannel."""
    row = (await session.execute(_ONE, {"tenant": tenant, "id": channel_id})).one_or_none()
    if row is None:
        raise UnknownChannel("There is no channel of this id.")
    return row


async def lock(session: AsyncSession, tenant: str, channel_id: UUID) -> None:
    """Hold a channel until the transaction ends; raises UnknownChannel."""
    if (await session.execute(_LOCK, {"tenant": tenant, "id": channel_id})).one_or_none() is None:
        raise UnknownChannel("There is no channel of this id.")


async def add(uow: UnitOfWork, tenant: str, given: Mapping[str, Any]) -> UUID:
    """Make a channel of name, kind, address, recipients, author and reason; raises ChannelNameTaken."""
    row = {"tenant": tenant, "id": uuid7(), "now": uow.now, **given}
    made = (await uow.session.execute(_ADD, row)).one_or_none()
    if made is None:
        raise ChannelNameTaken("There is a channel of this name.", pointer="/name")
    return UUID(str(row["id"]))


async def change(uow: UnitOfWork, tenant: str, channel_id: UUID, given: Mapping[str, Any]) -> None:
    """Change name, recipients or whether a locked channel is in use; raises ChannelNameTaken."""
    row = {"tenant": tenant, "id": channel_id, "now": uow.now, **given}
    if (await uow.session.execute(_NAMED, {name: row[name] for name in ("tenant", "name", "id")})).first():
        raise ChannelNameTaken("There is a channel of this name.", pointer="/name")
    await uow.session.execute(_CHANGE, row)


async def remove(uow: UnitOfWork, tenant: str, channel_id: UUID, *, author: str, reason: str) -> None:
    """Remove a channel and forget its secrets; what was sent by it stays on record."""
    where = {"tenant": tenant, "id": channel_id}
    await uow.session.execute(_REMOVE, {**where, "author": author, "reason": reason, "now": uow.now})
    await uow.session.execute(_FORGET_SECRETS, where)


async def add_secret(uow: UnitOfWork, tenant: str, channel_id: UUID, sealed: bytes, *, author: str) -> UUID:
    """Keep one more secret of a locked channel; raises TooManySecrets."""
    where = {"tenant": tenant, "id": channel_id}
    if (await uow.session.execute(_SECRETS, where)).scalar_one() >= LIVE_SECRETS:
        raise TooManySecrets(f"A channel has {LIVE_SECRETS} secrets at most; remove one first.")
    row = {"secret_id": uuid7(), "sealed": sealed, "now": uow.now, "author": author}
    await uow.session.execute(_ADD_SECRET, where | row)
    return UUID(str(row["secret_id"]))


async def remove_secret(session: AsyncSession, tenant: str, channel_id: UUID, secret_id: UUID) -> None:
    """Remove a secret, which is not used from now on; raises UnknownSecret."""
    where = {"tenant": tenant, "id": channel_id, "secret_id": secret_id}
    if (await session.execute(_REMOVE_SECRET, where)).one_or_none() is None:
        raise UnknownSecret("The channel has no secret of this id.")


async def opened(
    session: AsyncSession, keys: Collection[tuple[str, UUID]], vault: MultiFernet | None
) -> dict[tuple[str, UUID], Channel]:
    """The channels of (tenant, channel id) that there are, their secrets opened.

    A secret that no key of ours opens is left out, and logged.
    """
    rows = await session.execute(_OPENED, arrays("tenant channel_id", keys))
    return {
        (row.tenant, row.channel_id): Channel(
            row.kind, row.address, row.recipients, row.disabled_at is not None, _clear(row.sealed, vault)
        )
        for row in rows
    }


def _clear(sealed: Sequence[bytes], vault: MultiFernet | None) -> list[str]:
    found: list[str] = []
    for one_sealed in sealed if vault is not None else ():
        try:
            found.append(vault.decrypt(bytes(one_sealed)).decode())  # type: ignore[union-attr]
        except InvalidToken:
            log.warning("channel.secret_unreadable")
    return found


async def disable_gone(session: AsyncSession, keys: Collection[tuple[str, UUID]], now: datetime) -> None:
    """Disable channels whose receiver said that it is gone."""
    if keys:
        await session.execute(_GONE, arrays("tenant channel_id", keys) | {"now": now})


async def kinds(session: AsyncSession, tenant: str, ids: Collection[UUID]) -> dict[UUID, str]:
    """The kinds of those of the channels that there are."""
    rows = await session.execute(_KINDS, {"tenant": tenant, "ids": list(ids)})
    return {row.channel_id: row.kind for row in rows}


async def is_in_use(session: AsyncSession, tenant: str, channel_id: UUID) -> bool:
    """Whether there is such a channel that is not disabled."""
    return (await session.execute(_IN_USE, {"tenant": tenant, "id": channel_id})).first() is not None
