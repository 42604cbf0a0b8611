"""The tables of what is heard from sources."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, DateTime, Index, SmallInteger, Text, text
from sqlmodel import Field

from metrics_svc.tables import Table

_TIME: Any = DateTime(timezone=True)
_TIMES: Any = ARRAY(DateTime(timezone=True))


class SourceFeedRow(Table, table=True):
    """One source of a tenant: when it was heard, lately and a minute apart or more, and whether it is silent.

    ``due_at`` is when somebody has to look whether it still is heard from; hearing from it moves nothing there.
    """

    __tablename__ = "source_feed"
    __table_args__ = (Index("source_feed_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),)

    tenant: str = Field(sa_type=Text, primary_key=True)
    source: str = Field(sa_type=Text, primary_key=True)
    first_heard_at: datetime = Field(sa_type=_TIME)
    last_heard_at: datetime = Field(sa_type=_TIME)
    arrivals: list[datetime] = Field(sa_type=_TIMES)
    silent_since: datetime | None = Field(sa_type=_TIME)
    due_at: datetime | None = Field(sa_type=_TIME)


class SourceDayRow(Table, table=True):
    """A part of how many activities a source told on one UTC day, corrections and repeats among them."""

    __tablename__ = "source_day"

    tenant: str = Field(sa_type=Text, primary_key=True)
    source: str = Field(sa_type=Text, primary_key=True)
    day: date = Field(primary_key=True)
    stripe: int = Field(sa_type=SmallInteger, primary_key=True)
    activities: int = Field(sa_type=BigInteger)
