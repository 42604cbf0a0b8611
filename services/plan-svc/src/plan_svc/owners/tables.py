"""What each tenant chose about who answers for plays."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import DateTime, Text
from sqlmodel import Field

from plan_svc.tables import Table

_TIME: Any = DateTime(timezone=True)


class PlaySetting(Table, table=True):
    """What a tenant chose for its plays; no row means the defaults."""

    __tablename__: ClassVar[Any] = "play_setting"

    tenant: str = Field(sa_type=Text, primary_key=True)
    fallback_owner_id: UUID
    reason: str = Field(sa_type=Text)
    changed_by: str = Field(sa_type=Text)
    changed_at: datetime = Field(sa_type=_TIME)
    version: int = 1
