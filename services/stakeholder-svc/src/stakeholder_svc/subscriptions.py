"""What follows from what: each event type we hear and its handler, and what time alone brings about."""

from bellwether_kit.events import Subscription, ignored
from bellwether_kit.timers import Timer
from stakeholder_svc.accounts.handlers import fold_accounts
from stakeholder_svc.consumed import AccountChanged, AccountRemoved
from stakeholder_svc.coverage.handlers import reassess_due
from stakeholder_svc.coverage.tables import CoverageRow

SUBSCRIPTIONS: tuple[Subscription, ...] = (
    # The projection keeps the highest version of each account, so a repeat can't change it.
    Subscription("accounts", "account.profile.changed.v1", AccountChanged, fold_accounts, inbox=False),
    Subscription("accounts", "account.profile.removed.v1", AccountRemoved, fold_accounts, inbox=False),
    ignored("client-evidence", "client.evidence.recorded.v1"),
    ignored("client-evidence", "client.evidence.retracted.v1"),
)

TIMERS: tuple[Timer, ...] = (Timer(name="coverage", table=CoverageRow, due=CoverageRow.due_at, handle=reassess_due),)
