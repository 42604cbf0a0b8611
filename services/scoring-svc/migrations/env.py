"""Alembic's way in: which tables the migrations of this service are about."""

from bellwether_kit.db.migrations import run
from scoring_svc.accounts import tables as _accounts  # noqa: F401 - registers its tables, as do the next ones
from scoring_svc.alert_rules import tables as _alert_rules  # noqa: F401
from scoring_svc.alerts import tables as _alerts  # noqa: F401
from scoring_svc.health import tables as _health  # noqa: F401
from scoring_svc.ledger import tables as _ledger  # noqa: F401
from scoring_svc.measures import tables as _measures  # noqa: F401
from scoring_svc.scorecards import tables as _scorecards  # noqa: F401
from scoring_svc.tables import Table

run(Table.metadata)
