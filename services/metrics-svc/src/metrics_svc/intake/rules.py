"""How an item that came in is read: its identity, revision and references. Pure."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from metrics_svc.activities.rules import Reference

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def revision_of(revision: int | None, updated_at: datetime | None) -> int:
    """The number that orders the revisions of one record.

    The source's own number, else its update time in microseconds since 1970, else 1. A source keeps to one.
    """
    if revision is not None:
        return revision
    return 1 if updated_at is None else max(0, (updated_at - _EPOCH) // timedelta(microseconds=1))


def reference_of(id_: UUID | None, source: str | None, external_id: str | None, domain: str | None) -> Reference:
    """How an account is named, of exactly one way of naming it."""
    if id_ is not None:
        return Reference(kind="id", value=str(id_))
    if domain is not None:
        return Reference(kind="domain", value=domain.lower())
    return Reference(kind="external", source=str(source), value=str(external_id))
