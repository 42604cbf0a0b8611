"""The domain errors of this service and the one table that gives each its HTTP status and stable code."""

from bellwether_kit.http import DomainError
from metrics_svc.activities.rules import Refusal
from metrics_svc.derivation.rules import Refusal as PolicyRefusal
from metrics_svc.inbound.rules import Forgery
from metrics_svc.reported.rules import Refusal as ReportedRefusal
from metrics_svc.surveys.rules import Refusal as SurveyRefusal


class UnknownAccount(DomainError):
    """No account of the tenant has this id."""


class UnknownActivity(DomainError):
    """No activity of the tenant has this id."""


class UnknownEvidence(DomainError):
    """No evidence of the tenant has this id."""


class UnknownEvidenceKind(DomainError):
    """The catalogue has no such kind of evidence."""


class RetiredEvidenceKind(DomainError):
    """The tenant retired this kind of evidence."""


class KindRedefined(DomainError):
    """A kind of evidence would become something else, or vanish from under what is of it."""


class UnknownDecision(DomainError):
    """Nobody decided that about this name."""


class AmbiguousAccount(DomainError):
    """Several accounts go by the name; ``candidates`` are their ids."""


class UnknownMetric(DomainError):
    """There is no such metric."""


class UnknownTarget(DomainError):
    """No target of the tenant is set for this metric, scope, member and day."""


class TooManyPoints(DomainError):
    """A series would have more points than anybody reads."""


class MemberMismatch(DomainError):
    """A scope other than ``all`` needs a member, and ``all`` has none."""


class PeriodOutOfOrder(DomainError):
    """A period would end before it starts."""


class AppliesInFuture(DomainError):
    """Rules would apply from a moment that has not come yet."""


class MissingIdentity(DomainError):
    """An item does not say which record of which source it is."""


class UnknownActivityType(DomainError):
    """There is no such type of activity."""


class OutcomeMismatch(DomainError):
    """An activity of this type can't have this outcome."""


class MissingDirection(DomainError):
    """A call, an e-mail or a message comes from somebody."""


class OccurredInFuture(DomainError):
    """Something is said to have happened that can't have happened yet."""


class OccurredTooEarly(DomainError):
    """A moment lies before 1990, which is never meant."""


class ReplyToItself(DomainError):
    """An activity names itself as what it replies to."""


class AmountWithoutCurrency(DomainError):
    """An amount and its currency come together or not at all."""


class MeasureReserved(DomainError):
    """A measure comes from elsewhere and can't be reported."""


class UnitMismatch(DomainError):
    """A measure has another unit."""


class ShareOutOfRange(DomainError):
    """A share is less than nothing or more than all."""


class UnknownMethod(DomainError):
    """Survey answers are not counted in such a way."""


class ScaleMismatch(DomainError):
    """A scale is not one that the method counts."""


class ScoreOutsideScale(DomainError):
    """A score is lower or higher than the scale allows."""


class UnknownAdapter(DomainError):
    """There is no adapter of this name."""


class UnknownConnection(DomainError):
    """No connection has this id, or it is one of another adapter."""


class UnknownSecret(DomainError):
    """The connection has no secret of this id."""


class UnknownDelivery(DomainError):
    """No delivery of the tenant has this id."""


class ConnectionDisabled(DomainError):
    """The connection was switched off."""


class TooManySecrets(DomainError):
    """A connection has its two live secrets already."""


class NoSecretKey(DomainError):
    """Secrets can't be kept: the installation has no key to seal them with."""


class KeyNotOurs(DomainError):
    """An ingest key is made by us, never given."""


class UnprovenDelivery(DomainError):
    """A delivery carries nothing that could prove it."""


class ForgedDelivery(DomainError):
    """What a delivery carries proves nothing."""


class OldDelivery(DomainError):
    """A delivery was signed too long ago."""


class ReplayedDelivery(DomainError):
    """A delivery came before, from a source that never repeats one."""


class UnkeepableValue(DomainError):
    """A foreign system tells something that can't be kept as it is."""


class NotRetryable(DomainError):
    """The delivery did not fail, or its body is forgotten."""


ERRORS: dict[type[DomainError], tuple[int, str]] = {
    UnknownAccount: (404, "unknown-account"),
    UnknownActivity: (404, "unknown-activity"),
    UnknownEvidence: (404, "unknown-evidence"),
    UnknownEvidenceKind: (422, "unknown-evidence-kind"),
    RetiredEvidenceKind: (422, "retired-evidence-kind"),
    KindRedefined: (422, "evidence-kind-redefined"),
    UnknownDecision: (404, "unknown-decision"),
    AmbiguousAccount: (422, "ambiguous-account"),
    UnknownMetric: (422, "unknown-metric"),
    UnknownTarget: (404, "unknown-target"),
    TooManyPoints: (422, "too-many-points"),
    MemberMismatch: (422, "member-mismatch"),
    PeriodOutOfOrder: (422, "period-out-of-order"),
    AppliesInFuture: (422, "applies-in-future"),
    MissingIdentity: (422, "missing-identity"),
    UnknownActivityType: (422, "unknown-activity-type"),
    OutcomeMismatch: (422, "outcome-mismatch"),
    MissingDirection: (422, "missing-direction"),
    OccurredInFuture: (422, "occurred-in-future"),
    OccurredTooEarly: (422, "occurred-too-early"),
    ReplyToItself: (422, "reply-to-itself"),
    AmountWithoutCurrency: (422, "amount-without-currency"),
    MeasureReserved: (422, "measure-reserved"),
    UnitMismatch: (422, "unit-mismatch"),
    ShareOutOfRange: (422, "share-out-of-range"),
    UnknownMethod: (422, "unknown-method"),
    ScaleMismatch: (422, "scale-mismatch"),
    ScoreOutsideScale: (422, "score-outside-scale"),
    UnknownAdapter: (422, "unknown-adapter"),
    UnknownConnection: (404, "unknown-connection"),
    UnknownSecret: (404, "unknown-secret"),
    UnknownDelivery: (404, "unknown-delivery"),
    ConnectionDisabled: (403, "connection-disabled"),
    TooManySecrets: (409, "too-many-secrets"),
    NoSecretKey: (409, "no-secret-key"),
    KeyNotOurs: (422, "key-not-ours"),
    UnprovenDelivery: (401, "missing-signature"),
    ForgedDelivery: (401, "wrong-signature"),
    OldDelivery: (401, "signature-too-old"),
    ReplayedDelivery: (409, "replayed-delivery"),
    UnkeepableValue: (422, "unkeepable-value"),
    NotRetryable: (409, "not-retryable"),
}

_REFUSED: dict[Refusal, tuple[type[DomainError], str]] = {
    Refusal.MISSING_IDENTITY: (MissingIdentity, "Say the source and its own id of the record."),
    Refusal.UNKNOWN_TYPE: (UnknownActivityType, "There is no such type of activity."),
    Refusal.OUTCOME_MISMATCH: (OutcomeMismatch, "An activity of this type can't have this outcome."),
    Refusal.MISSING_DIRECTION: (MissingDirection, "Say whether it was inbound or outbound."),
    Refusal.IN_FUTURE: (OccurredInFuture, "It lies too far ahead: 5 minutes at most, 3 years for a meeting."),
    Refusal.TOO_EARLY: (OccurredTooEarly, "It lies before 1990."),
    Refusal.REPLY_TO_ITSELF: (ReplyToItself, "An activity can't be a reply to itself."),
    Refusal.AMOUNT_WITHOUT_CURRENCY: (AmountWithoutCurrency, "Give an amount and its currency together."),
}


def error_of(refusal: Refusal, pointer: str) -> DomainError:
    """The error that says what ``refusal`` found at ``pointer``."""
    error, detail = _REFUSED[refusal]
    return error(detail, pointer=pointer)


_SURVEY_REFUSED: dict[SurveyRefusal, tuple[type[DomainError], str]] = {
    SurveyRefusal.UNKNOWN_METHOD: (UnknownMethod, "Count by top-2-box, top-box, mean or nps."),
    SurveyRefusal.SCALE_MISMATCH: (ScaleMismatch, "NPS is asked from 0 to 10, top-2-box on three or more answers."),
    SurveyRefusal.SCORE_OUTSIDE_SCALE: (ScoreOutsideScale, "The score does not lie on the scale."),
    SurveyRefusal.IN_FUTURE: (OccurredInFuture, "It lies more than 5 minutes ahead."),
    SurveyRefusal.TOO_EARLY: (OccurredTooEarly, "It lies before 1990."),
}


def survey_error(refusal: SurveyRefusal, pointer: str) -> DomainError:
    """The error that says what ``refusal`` found in a survey answer at ``pointer``."""
    error, detail = _SURVEY_REFUSED[refusal]
    return error(detail, pointer=pointer)


_REPORTED_REFUSED: dict[ReportedRefusal, tuple[type[DomainError], str]] = {
    ReportedRefusal.MEASURE_RESERVED: (MeasureReserved, "It comes from survey responses; post these."),
    ReportedRefusal.UNIT_MISMATCH: (UnitMismatch, "Revenue and profit are money, shares and retention percent."),
    ReportedRefusal.SHARE_OUT_OF_RANGE: (ShareOutOfRange, "A share of wallet lies between 0 and 100 percent."),
    ReportedRefusal.OUT_OF_ORDER: (PeriodOutOfOrder, "The period ends before it starts."),
    ReportedRefusal.IN_FUTURE: (OccurredInFuture, "The period has not begun."),
    ReportedRefusal.TOO_EARLY: (OccurredTooEarly, "It lies before 1990."),
}


def reported_error(refusal: ReportedRefusal, pointer: str) -> DomainError:
    """The error that says what ``refusal`` found in a reported figure at ``pointer``."""
    error, detail = _REPORTED_REFUSED[refusal]
    return error(detail, pointer=pointer)


_POLICY_REFUSED: dict[PolicyRefusal, tuple[type[DomainError], str]] = {
    PolicyRefusal.KIND_REDEFINED: (KindRedefined, "This kind is there already; it can only be retired."),
    PolicyRefusal.KIND_GONE: (KindRedefined, "Kinds stay, for evidence is of them; retire those you no longer want."),
    PolicyRefusal.UNKNOWN_TYPE: (UnknownActivityType, "There is no such type of activity."),
    PolicyRefusal.OUTCOME_MISMATCH: (OutcomeMismatch, "An activity of this type can't have this outcome."),
    PolicyRefusal.UNKNOWN_KIND: (UnknownEvidenceKind, "There is no such kind of evidence."),
    PolicyRefusal.RETIRED_KIND: (RetiredEvidenceKind, "Nothing new can be of this kind."),
}


def policy_error(refusal: PolicyRefusal, pointer: str) -> DomainError:
    """The error that says what ``refusal`` found in a tenant's rules at ``pointer``."""
    error, detail = _POLICY_REFUSED[refusal]
    return error(detail, pointer=pointer)


_FORGED: dict[Forgery, tuple[type[DomainError], str]] = {
    Forgery.MISSING: (UnprovenDelivery, "The delivery is not signed, and shows no key."),
    Forgery.WRONG: (ForgedDelivery, "No live secret of the connection proves the delivery."),
    Forgery.OLD: (OldDelivery, "The delivery was signed too long ago, or too far ahead."),
}


def forged(forgery: Forgery) -> DomainError:
    """The error that says why a delivery is not believed."""
    error, detail = _FORGED[forgery]
    return error(detail)
