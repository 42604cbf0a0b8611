"""The domain errors of this service and the one table that gives each its HTTP status and stable code."""

from enum import StrEnum

from bellwether_kit.errors import DomainError
from metrics_svc.derivation.rules import Refusal as PolicyRefusal
from metrics_svc.inbound.rules import Forgery


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


class UnknownErasure(DomainError):
    """Nobody asked for an erasure of this id."""


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


class UnknownKpi(DomainError):
    """No KPI of the tenant has this id."""


class KpiExists(DomainError):
    """An account has an open KPI of the same code."""


class KpiClosed(DomainError):
    """A KPI is closed: nothing about it changes any more."""


class RangeMismatch(DomainError):
    """A range lacks its upper end, or has it below the lower one."""


class OutsideValidity(DomainError):
    """A day lies outside of what was agreed."""


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


class UnreadableFile(DomainError):
    """A file has no header that could be read."""


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
    UnknownErasure: (404, "unknown-erasure"),
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
    UnknownKpi: (404, "unknown-kpi"),
    KpiExists: (409, "kpi-exists"),
    KpiClosed: (409, "kpi-closed"),
    RangeMismatch: (422, "range-mismatch"),
    OutsideValidity: (422, "outside-validity"),
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
    UnreadableFile: (422, "unreadable-file"),
    UnkeepableValue: (422, "unkeepable-value"),
    NotRetryable: (409, "not-retryable"),
}

_BY_CODE = {code: error for error, (_, code) in ERRORS.items()}


def error_of(code: StrEnum, pointer: str) -> DomainError:
    """The error of a stable code, in the words of the error itself, at ``pointer``."""
    error = _BY_CODE[code]
    return error(error.__doc__ or code, pointer=pointer)


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
