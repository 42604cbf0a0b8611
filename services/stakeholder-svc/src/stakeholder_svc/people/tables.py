"""The tables of people. Personal data of clients is here and nowhere else."""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, DateTime, ForeignKeyConstraint, Index, SmallInteger, Text, Uuid, text
from sqlmodel import Field

from stakeholder_svc.tables import Table

_TIME: Any = DateTime(timezone=True)
_TEXTS: Any = ARRAY(Text)
_IDS: Any = ARRAY(Uuid)
_MARKS = ("power", "perception", "priority", "promoter", "pliability", "weight")


class PersonRow(Table, table=True):
    """One person. The six marks of the grid are all there or none is."""

    __tablename__: ClassVar[Any] = "person"
    __table_args__ = (
        CheckConstraint(f"num_nulls({', '.join(_MARKS)}) IN (0, 6)", name="person_grid"),
        *(CheckConstraint(f"{mark} BETWEEN 1 AND 5", name=f"person_{mark}") for mark in _MARKS),
        Index("person_by_account", "tenant", "account_id"),
        Index("person_by_created_at", "tenant", "created_at", "id"),
        Index("person_by_superior", "tenant", "reports_to", postgresql_where=text("reports_to IS NOT NULL")),
    )

    tenant: str = Field(sa_type=Text, primary_key=True)
    id: UUID = Field(primary_key=True)
    account_id: UUID
    version: int
    created_at: datetime = Field(sa_type=_TIME)
    updated_at: datetime = Field(sa_type=_TIME)
    name: str = Field(sa_type=Text)
    title: str | None = Field(sa_type=Text)
    email: str | None = Field(sa_type=Text)
    buying_centre: str | None = Field(sa_type=Text)
    reports_to: UUID | None
    decision_roles: list[str] = Field(sa_type=_TEXTS)
    budget_control: bool
    veto: bool
    sentiment: str = Field(sa_type=Text)
    sentiment_since: date | None
    assessed_by: UUID | None
    certainty: str = Field(sa_type=Text)
    status: str = Field(sa_type=Text)
    priorities: list[str] = Field(sa_type=_TEXTS)
    confidential_notes: str | None = Field(sa_type=Text)
    power: int | None = Field(sa_type=SmallInteger)
    perception: int | None = Field(sa_type=SmallInteger)
    priority: int | None = Field(sa_type=SmallInteger)
    promoter: int | None = Field(sa_type=SmallInteger)
    pliability: int | None = Field(sa_type=SmallInteger)
    weight: int | None = Field(sa_type=SmallInteger)
    contacts: list[UUID] = Field(sa_type=_IDS, sa_column_kwargs={"server_default": text("'{}'")})


class ExternalIdRow(Table, table=True):
    """A person's name in a source system; the key says that one name means one person."""

    __tablename__: ClassVar[Any] = "person_external_id"
    __table_args__ = (
        ForeignKeyConstraint(["tenant", "person_id"], ["person.tenant", "person.id"], ondelete="CASCADE"),
        Index("person_external_id_by_person", "tenant", "person_id"),
    )

    tenant: str = Field(sa_type=Text, primary_key=True)
    source: str = Field(sa_type=Text, primary_key=True)
    external_id: str = Field(sa_type=Text, primary_key=True)
    person_id: UUID


class ErasedRow(Table, table=True):
    """The last version of a person that was erased, without anything about who it was.

    A person that comes back under the same external id has the same opaque id; readers must not take it for stale.
    """

    __tablename__: ClassVar[Any] = "erased_person"

    tenant: str = Field(sa_type=Text, primary_key=True)
    id: UUID = Field(primary_key=True)
    version: int
    erased_at: datetime = Field(sa_type=_TIME)
