"""The domain errors of this service and the one table that gives each its HTTP status and stable code."""

from bellwether_kit.http import DomainError
from metrics_svc.activities.rules import Refusal


class UnknownAccount(DomainError):
    """No account of the tenant has this id."""


class UnknownActivity(DomainError):
    """No activity of the tenant has this id."""


class UnknownEvidence(DomainError):
    """No evidence of the tenant has this id."""


class UnknownEvidenceKind(DomainError):
    """The catalogue has no such kind of evidence."""


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


ERRORS: dict[type[DomainError], tuple[int, str]] = {
    UnknownAccount: (404, "unknown-account"),
    UnknownActivity: (404, "unknown-activity"),
    UnknownEvidence: (404, "unknown-evidence"),
    UnknownEvidenceKind: (422, "unknown-evidence-kind"),
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
