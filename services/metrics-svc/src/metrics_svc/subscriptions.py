"""What metrics-svc listens to and waits for: topic and type → handler, due time → handler."""

from bellwether_kit.events import Subscription, ignored
from bellwether_kit.timers import Timer
from metrics_svc.accounts.handlers import follow_accounts
from metrics_svc.accounts.tables import AccountRow
from metrics_svc.consumed import AccountChanged, AccountRemoved, StakeholderChanged, StakeholderRemoved
from metrics_svc.contacts.handlers import follow_stakeholders
from metrics_svc.decisions.handlers import carry_on
from metrics_svc.derivation.handlers import derive_anew, derive_due
from metrics_svc.erasure.handlers import erase_on
from metrics_svc.erasure.tables import ErasureRow
from metrics_svc.figures.handlers import fold_marked
from metrics_svc.figures.tables import FigureMarkRow
from metrics_svc.inbound.handlers import forget, work
from metrics_svc.inbound.tables import InboundDeliveryRow
from metrics_svc.references.tables import ReferenceWordRow
from metrics_svc.retention.handlers import apply_limits
from metrics_svc.retention.tables import RetentionRunRow
from metrics_svc.sources.handlers import notice_silence
from metrics_svc.sources.tables import SourceFeedRow
from metrics_svc.standing.handlers import bet, stand
from metrics_svc.standing.tables import BetDueRow, StandingRow
from metrics_svc.surveys.handlers import measure_anew

SUBSCRIPTIONS = (
    Subscription("accounts", "account.profile.changed.v1", AccountChanged, follow_accounts),
    Subscription("accounts", "account.profile.removed.v1", AccountRemoved, follow_accounts),
    Subscription("stakeholders", "stakeholder.profile.changed.v1", StakeholderChanged, follow_stakeholders),
    Subscription("stakeholders", "stakeholder.profile.removed.v1", StakeholderRemoved, follow_stakeholders),
    ignored("stakeholders", "stakeholder.coverage.changed.v1"),
)

TIMERS = (
    Timer(name="deadlines", table=AccountRow, due=AccountRow.due_at, handle=derive_due, batch=500),
    Timer(name="anew", table=AccountRow, due=AccountRow.anew_at, handle=derive_anew, batch=20),
    Timer(name="satisfaction", table=AccountRow, due=AccountRow.satisfaction_due_at, handle=measure_anew, batch=500),
    Timer(name="figures", table=FigureMarkRow, due=FigureMarkRow.due_at, handle=fold_marked, batch=2_000),
    Timer(name="standing", table=StandingRow, due=StandingRow.due_at, handle=stand, batch=1_000),
    Timer(name="deliveries", table=InboundDeliveryRow, due=InboundDeliveryRow.due_at, handle=work, batch=10),
    Timer(name="bodies", table=InboundDeliveryRow, due=InboundDeliveryRow.forget_at, handle=forget, batch=20),
    Timer(name="sources", table=SourceFeedRow, due=SourceFeedRow.due_at, handle=notice_silence, batch=500),
    Timer(name="bets", table=BetDueRow, due=BetDueRow.due_at, handle=bet, batch=1),
    Timer(name="decisions", table=ReferenceWordRow, due=ReferenceWordRow.due_at, handle=carry_on, batch=5),
    Timer(name="erasures", table=ErasureRow, due=ErasureRow.due_at, handle=erase_on, batch=1),
    Timer(name="retention", table=RetentionRunRow, due=RetentionRunRow.due_at, handle=apply_limits, batch=1),
)
