"""Alembic's way in: which tables the migrations of this service are about."""

from bellwether_kit.db.migrations import run
from profile_svc.accounts import tables as _accounts  # noqa: F401 - registers its tables
from profile_svc.health import tables as _health  # noqa: F401
from profile_svc.tables import Table
from profile_svc.team import tables as _team  # noqa: F401

run(Table.metadata)
