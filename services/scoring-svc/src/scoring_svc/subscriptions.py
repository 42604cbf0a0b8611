"""What follows from what: each event type we hear and the handler that reacts; each timer and its table."""

from bellwether_kit.events import Subscription, ignored
from bellwether_kit.timers import Timer
from scoring_svc.backtests.handlers import work_on
from scoring_svc.backtests.tables import BacktestRow
from scoring_svc.breaker.handlers import follow_feeds
from scoring_svc.consumed import (
    AccountChanged,
    AccountRemoved,
    CoverageChanged,
    EvidenceRecorded,
    EvidenceRetracted,
    FeedResumed,
    FeedSilenced,
    MetricMeasured,
    PlanProgressed,
    StakeholderChanged,
    StakeholderRemoved,
    TouchRecorded,
)
from scoring_svc.evaluation.handlers import evaluate_due, follow
from scoring_svc.health.tables import AccountHealthRow
from scoring_svc.notifications.handlers import deliver, forget
from scoring_svc.notifications.tables import NotificationRow
from scoring_svc.rescoring.handlers import go_on
from scoring_svc.rescoring.tables import RescoringRunRow
from scoring_svc.situation.handlers import forget as forget_situations
from scoring_svc.situation.tables import SituationHistoryRow

SUBSCRIPTIONS: tuple[Subscription, ...] = (
    # The ledger's key (tenant, evidence id) with its revision is the inbox: a repeat finds nothing to do.
    Subscription("client-evidence", "client.evidence.recorded.v1", EvidenceRecorded, follow, inbox=False),
    Subscription("client-evidence", "client.evidence.retracted.v1", EvidenceRetracted, follow, inbox=False),
    # So is the version of an account.
    Subscription("accounts", "account.profile.changed.v1", AccountChanged, follow, inbox=False),
    Subscription("accounts", "account.profile.removed.v1", AccountRemoved, follow, inbox=False),
    Subscription("client-metrics", "client.touch.recorded.v1", TouchRecorded, follow),
    Subscription("client-metrics", "client.metric.measured.v1", MetricMeasured, follow),
    Subscription("client-metrics", "source.feed.silenced.v1", FeedSilenced, follow_feeds),
    Subscription("client-metrics", "source.feed.resumed.v1", FeedResumed, follow_feeds),
    Subscription("stakeholders", "stakeholder.coverage.changed.v1", CoverageChanged, follow),
    # The version of a person is the inbox.
    Subscription("stakeholders", "stakeholder.profile.changed.v1", StakeholderChanged, follow, inbox=False),
    Subscription("stakeholders", "stakeholder.profile.removed.v1", StakeholderRemoved, follow, inbox=False),
    Subscription("account-plans", "account.plan.progressed.v1", PlanProgressed, follow),
    ignored("account-plans", "account.action.overdue.v1"),
    ignored("account-plans", "account.play.opened.v1"),
    ignored("account-plans", "account.play.closed.v1"),
)

TIMERS: tuple[Timer, ...] = (
    Timer("notifications", NotificationRow, NotificationRow.due_at, deliver, batch=20),
    Timer("deliveries", NotificationRow, NotificationRow.forget_at, forget),
    Timer("rescoring", RescoringRunRow, RescoringRunRow.next_at, go_on, batch=1),
    Timer("backtests", BacktestRow, BacktestRow.due_at, work_on, batch=1),
    Timer("situations", SituationHistoryRow, SituationHistoryRow.forget_at, forget_situations),
    # Half of an evaluation is the database's: side by side, one batch is judged while another is read or written.
    Timer("evaluation", AccountHealthRow, AccountHealthRow.next_evaluation_at, evaluate_due, 1_000, side_by_side=2),
)
