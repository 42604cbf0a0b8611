"""Alembic's entry: the metadata of every feature, run by the kit."""

from bellwether_kit.db.migrations import run
from stakeholder_svc.accounts import tables as _accounts
from stakeholder_svc.coverage import tables as _coverage
from stakeholder_svc.people import tables as _people
from stakeholder_svc.tables import Table

__all__ = ["_accounts", "_coverage", "_people"]

run(Table.metadata)
