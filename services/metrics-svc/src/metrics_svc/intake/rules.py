"""How an item that came in is read: the number of its revision. Pure."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def revision_of(revision: int | None, updated_at: datetime | None) -> int:
    """The number that orders the revisions of one record.

    The source's own number, else its update time in microseconds since 1970, else 1. A source keeps to one.
    """
    if revision is not None:
        return revision
    return 1 if updated_at is None else max(0, (updated_at - _EPOCH) // timedelta(microseconds=1))
