"""The table of account teams."""

from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, Text
from sqlmodel import Field

from profile_svc.tables import Table


class MemberRow(Table, table=True):
    """One of ours in one role for one account."""

    __tablename__ = "account_member"
    __table_args__ = (
        ForeignKeyConstraint(["tenant", "account_id"], ["account.tenant", "account.id"], ondelete="CASCADE"),
        Index("account_member_by_user", "tenant", "user_id"),
    )

    tenant: str = Field(sa_type=Text, primary_key=True)
    account_id: UUID = Field(primary_key=True)
    role: str = Field(sa_type=Text, primary_key=True)
    user_id: UUID = Field(primary_key=True)
    email: str = Field(sa_type=Text)
