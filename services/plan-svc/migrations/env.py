"""Alembic's entry: the metadata of every feature, run by the kit."""

from bellwether_kit.db.migrations import run
from plan_svc.accounts import tables as _accounts
from plan_svc.actions import tables as _actions
from plan_svc.alerts import tables as _alerts
from plan_svc.owners import tables as _owners
from plan_svc.plans import tables as _plans
from plan_svc.plays import tables as _plays
from plan_svc.tables import Table

__all__ = ["_accounts", "_actions", "_alerts", "_owners", "_plans", "_plays"]

run(Table.metadata)
