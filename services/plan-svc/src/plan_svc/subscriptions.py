"""What follows from what: each event type we hear and its handler, and what time alone brings about."""

from bellwether_kit.events import Subscription, ignored
from bellwether_kit.timers import Timer
from plan_svc.accounts.handlers import fold_accounts
from plan_svc.actions.handlers import report_overdue_of_plans, report_overdue_of_plays
from plan_svc.alerts.handlers import follow_alerts
from plan_svc.consumed import AccountChanged, AccountRemoved, AlertChanged
from plan_svc.plans.tables import Plan
from plan_svc.plays.tables import Play

SUBSCRIPTIONS: tuple[Subscription, ...] = (
    Subscription("account-alerts", "account.alert.opened.v1", AlertChanged, follow_alerts),
    Subscription("account-alerts", "account.alert.reopened.v1", AlertChanged, follow_alerts),
    Subscription("account-alerts", "account.alert.resolved.v1", AlertChanged, follow_alerts),
    ignored("account-alerts", "account.alert.updated.v1"),
    ignored("account-alerts", "account.alert.acknowledged.v1"),
    ignored("account-alerts", "account.alert.snoozed.v1"),
    ignored("account-alerts", "scoring.storm.held.v1"),
    # The projection keeps the highest version of each account, so a repeat can't change it.
    Subscription("accounts", "account.profile.changed.v1", AccountChanged, fold_accounts, inbox=False),
    Subscription("accounts", "account.profile.removed.v1", AccountRemoved, fold_accounts, inbox=False),
    ignored("account-scores", "account.health.changed.v1"),
    ignored("client-metrics", "client.metric.measured.v1"),
    ignored("client-metrics", "client.touch.recorded.v1"),
    ignored("client-metrics", "source.feed.silenced.v1"),
    ignored("client-metrics", "source.feed.resumed.v1"),
)

TIMERS: tuple[Timer, ...] = (
    Timer(name="overdue-actions", table=Plan, due=Plan.next_due_at, handle=report_overdue_of_plans),
    Timer(name="overdue-steps", table=Play, due=Play.next_due_at, handle=report_overdue_of_plays),
)
