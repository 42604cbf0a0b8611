"""The SQL of connections and their secrets, and how secrets are sealed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from hmac import compare_digest
from typing import Any
from uuid import UUID

import structlog
from cryptography.fernet import InvalidToken, MultiFernet
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from bellwether_kit.db import UnitOfWork
from bellwether_kit.ids import uuid7
from metrics_svc.errors import ConnectionDisabled, TooManySecrets, UnknownConnection, UnknownSecret
from metrics_svc.inbound.rules import Forgery, Options, Proof

LIVE_SECRETS = 2
"""So many may prove a delivery at a time: the one in use and, while it is being changed, its successor."""

log = structlog.get_logger(__name__)

_SHOWN = """
    SELECT c.*, (
        SELECT coalesce(jsonb_agg(jsonb_build_object(
            'id', s.secret_id, 'created_at', s.created_at, 'created_by', s.created_by) ORDER BY s.secret_id), '[]')
        FROM connection_secret AS s WHERE s.tenant = c.tenant AND s.connection_id = c.connection_id
    ) AS secrets
    FROM connection AS c WHERE c.tenant = :tenant
"""
_LISTED = text(_SHOWN + " AND c.connection_id > :after ORDER BY c.connection_id LIMIT :limit")
_ONE = text(_SHOWN + " AND c.connection_id = :id")
_LOCK = text("SELECT version FROM connection WHERE tenant = :tenant AND connection_id = :id FOR UPDATE")
_ADD = text("""
    INSERT INTO connection (tenant, connection_id, adapter, source, own_domains, version, created_at, created_by)
    VALUES (:tenant, :id, :adapter, :source, :own_domains, 1, :now, :author)
""")
_CHANGE = text("""
    UPDATE connection SET own_domains = :own_domains, disabled_at = :disabled_at, version = version + 1
    WHERE tenant = :tenant AND connection_id = :id
""")
_REMOVE = text("DELETE FROM connection WHERE tenant = :tenant AND connection_id = :id")
_SECRETS = text("SELECT count(*) FROM connection_secret WHERE tenant = :tenant AND connection_id = :id")
_ADD_SECRET = text("""
    INSERT INTO connection_secret (tenant, connection_id, secret_id, sealed, digest, created_at, created_by)
    VALUES (:tenant, :id, :secret_id, :sealed, :digest, :now, :author)
""")
_REMOVE_SECRET = text("""
    DELETE FROM connection_secret
    WHERE tenant = :tenant AND connection_id = :id AND secret_id = :secret_id RETURNING secret_id
""")

_NAME = text("SELECT set_config('app.connection_id', :id, true)")
_NAMED = text("""
    SELECT c.tenant, c.connection_id, c.source, c.own_domains, c.disabled_at,
           array_agg(s.sealed ORDER BY s.secret_id DESC) AS sealed, array_agg(s.digest) AS digests
    FROM connection AS c LEFT JOIN connection_secret AS s USING (tenant, connection_id)
    WHERE c.connection_id = :id AND c.adapter = :adapter
    GROUP BY c.tenant, c.connection_id
""")
_OPTIONS = text("SELECT source, own_domains, adapter FROM connection WHERE tenant = :tenant AND connection_id = :id")


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection as a delivery finds it, with what can prove the delivery."""

    tenant: str
    id: UUID
    options: Options
    _sealed: Sequence[bytes]
    _digests: Sequence[bytes]

    @property
    def author(self) -> str:
        """Who is said to have told what comes in by it."""
        return author_of(self.id)

    def secrets(self, vault: MultiFernet | None) -> list[str]:
        """The live secrets in clear, the newest first; one that no key of ours opens is left out, and logged."""
        found: list[str] = []
        if vault is None:
            return found
        for sealed in self._sealed:
            try:
                found.append(vault.decrypt(sealed).decode())
            except InvalidToken:
                log.warning("connection.secret_unreadable", connection=str(self.id))
        return found

    def keyed(self, authorization: str) -> Proof | Forgery:
        """Whether a header ``Authorization: Bearer …`` shows one of the live ingest keys."""
        scheme, _, key = authorization.partition(" ")
        if scheme.lower() != "bearer" or not key.strip():
            return Forgery.MISSING
        shown = digest_of(key.strip())
        return (
            Proof("", repeatable=True) if any(compare_digest(shown, kept) for kept in self._digests) else Forgery.WRONG
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What is kept of a secret or an ingest key."""

    sealed: bytes | None = None
    digest: bytes | None = None


def author_of(connection_id: UUID) -> str:
    """The author of activities that came in by a connection."""
    return f"connection:{connection_id}"


def digest_of(key: str) -> bytes:
    """What is kept of an ingest key. It has 256 random bits, so that a plain hash can't be turned back."""
    return sha256(key.encode()).digest()


async def named(session: AsyncSession, adapter: str, connection_id: str) -> Connection:
    """The connection of ``adapter`` that a request names, whoever's it is; the transaction sees no other.

    Raises UnknownConnection and ConnectionDisabled.
    """
    try:
        id_ = UUID(connection_id)
    except ValueError:
        raise UnknownConnection("Name a connection: ?connection=<id>.") from None
    await session.execute(_NAME, {"id": str(id_)})
    row = (await session.execute(_NAMED, {"id": id_, "adapter": adapter})).one_or_none()
    if row is None:
        raise UnknownConnection("There is no connection of this id for this adapter.")
    if row.disabled_at is not None:
        raise ConnectionDisabled("The connection is disabled.")
    sealed, digests = ([bytes(one) for one in given if one is not None] for given in (row.sealed, row.digests))
    options = Options(source=row.source, own_domains=frozenset(row.own_domains))
    return Connection(row.tenant, row.connection_id, options, sealed, digests)


async def reading(session: AsyncSession, tenant: str, connection_id: UUID) -> tuple[str, Options]:
    """The adapter that reads what came in by a connection, and what it is told."""
    row = (await session.execute(_OPTIONS, {"tenant": tenant, "id": connection_id})).one()
    return row.adapter, Options(source=row.source, own_domains=frozenset(row.own_domains))


async def listed(session: AsyncSession, tenant: str, *, after: UUID, limit: int) -> Sequence[Row[Any]]:
    """The connections after an id, the oldest first, each with its secrets' ids."""
    return (await session.execute(_LISTED, {"tenant": tenant, "after": after, "limit": limit})).all()


async def one(session: AsyncSession, tenant: str, connection_id: UUID) -> Row[Any]:
    """One connection with its secrets' ids; raises UnknownConnection."""
    row = (await session.execute(_ONE, {"tenant": tenant, "id": connection_id})).one_or_none()
    if row is None:
        raise UnknownConnection("There is no connection of this id.")
    return row


async def lock(session: AsyncSession, tenant: str, connection_id: UUID) -> None:
    """Hold a connection until the transaction ends; raises UnknownConnection."""
    if (await session.execute(_LOCK, {"tenant": tenant, "id": connection_id})).one_or_none() is None:
        raise UnknownConnection("There is no connection of this id.")


async def add(uow: UnitOfWork, tenant: str, *, adapter: str, options: Options, author: str) -> UUID:
    """Make a connection; it has no secret yet."""
    row = {"adapter": adapter, "source": options.source, "own_domains": sorted(options.own_domains)}
    id_ = uuid7()
    await uow.session.execute(_ADD, {"tenant": tenant, "id": id_, "now": uow.now, "author": author} | row)
    return id_


async def change(
    session: AsyncSession, tenant: str, connection_id: UUID, *, own_domains: Sequence[str], disabled_at: datetime | None
) -> None:
    """Change what may change of a connection."""
    row = {"own_domains": own_domains, "disabled_at": disabled_at}
    await session.execute(_CHANGE, {"tenant": tenant, "id": connection_id} | row)


async def remove(session: AsyncSession, tenant: str, connection_id: UUID) -> None:
    """Remove a connection with its secrets and the record of its deliveries; what they told stays."""
    await session.execute(_REMOVE, {"tenant": tenant, "id": connection_id})


async def add_secret(uow: UnitOfWork, tenant: str, connection_id: UUID, kept: Kept, *, author: str) -> UUID:
    """Keep one more secret or key of a locked connection; raises TooManySecrets."""
    where = {"tenant": tenant, "id": connection_id}
    if (await uow.session.execute(_SECRETS, where)).scalar_one() >= LIVE_SECRETS:
        raise TooManySecrets(f"A connection has {LIVE_SECRETS} secrets at most; remove one first.")
    row = {"secret_id": uuid7(), "sealed": kept.sealed, "digest": kept.digest, "now": uow.now, "author": author}
    await uow.session.execute(_ADD_SECRET, where | row)
    return UUID(str(row["secret_id"]))


async def remove_secret(session: AsyncSession, tenant: str, connection_id: UUID, secret_id: UUID) -> None:
    """Remove a secret, which proves nothing from now on; raises UnknownSecret."""
    where = {"tenant": tenant, "id": connection_id, "secret_id": secret_id}
    if (await session.execute(_REMOVE_SECRET, where)).one_or_none() is None:
        raise UnknownSecret("The connection has no secret of this id.")
