"""Alembic's way in: which tables the migrations of this service are about."""

from bellwether_kit.db.migrations import run
from metrics_svc.accounts import tables as _accounts  # noqa: F401 - registers its tables
from metrics_svc.activities import tables as _activities  # noqa: F401
from metrics_svc.buying import tables as _buying  # noqa: F401
from metrics_svc.contacts import tables as _contacts  # noqa: F401
from metrics_svc.derivation import tables as _derivation  # noqa: F401
from metrics_svc.evidence import tables as _evidence  # noqa: F401
from metrics_svc.expectations import tables as _expectations  # noqa: F401
from metrics_svc.scope import tables as _scope  # noqa: F401
from metrics_svc.tables import Table
from metrics_svc.touch import tables as _touch  # noqa: F401

run(Table.metadata)
