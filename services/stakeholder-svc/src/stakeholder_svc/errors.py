"""The domain errors of this service and the one table that gives each its HTTP status and stable code."""

from bellwether_kit.errors import DomainError
from stakeholder_svc.people.rules import Refusal, Rule


class UnknownStakeholder(DomainError):
    """No person of the tenant has this id."""


class UnknownAccount(DomainError):
    """The account is not known to this service (yet)."""


class AccountStays(DomainError):
    """A person can't move to another account."""


class NameMissing(DomainError):
    """A person would have no name."""


class UnknownSuperior(DomainError):
    """The person named as superior is not known at the account."""


class ReportsToCycle(DomainError):
    """A person would report to themselves in the end."""


class ExternalIdTaken(DomainError):
    """An external id belongs to another person."""


class TooManyExternalIds(DomainError):
    """A person would gather more external ids than they may have."""


class DateOutOfReach(DomainError):
    """A date lies ahead that can't."""


class NotesAreConfidential(DomainError):
    """Confidential notes are read and written with the scope stakeholders:admin only."""


ERRORS: dict[type[DomainError], tuple[int, str]] = {
    UnknownStakeholder: (404, "unknown-stakeholder"),
    UnknownAccount: (404, "unknown-account"),
    AccountStays: (409, "account-stays"),
    NameMissing: (422, "name-missing"),
    UnknownSuperior: (422, "unknown-superior"),
    ReportsToCycle: (409, "reports-to-cycle"),
    ExternalIdTaken: (409, "external-id-taken"),
    TooManyExternalIds: (422, "too-many-external-ids"),
    DateOutOfReach: (422, "date-out-of-reach"),
    NotesAreConfidential: (403, "notes-are-confidential"),
}

_BROKEN: dict[Rule, type[DomainError]] = {
    Rule.ACCOUNT_KNOWN: UnknownAccount,
    Rule.ACCOUNT_STAYS: AccountStays,
    Rule.NAME_GIVEN: NameMissing,
    Rule.REPORTS_TO_KNOWN: UnknownSuperior,
    Rule.NO_CYCLE: ReportsToCycle,
    Rule.ONE_PERSON_PER_EXTERNAL_ID: ExternalIdTaken,
    Rule.FEW_EXTERNAL_IDS: TooManyExternalIds,
    Rule.DATES_IN_REACH: DateOutOfReach,
}


def error_of(refusal: Refusal) -> DomainError:
    """The error that says what ``refusal`` found."""
    return _BROKEN[refusal.rule](refusal.detail, pointer=refusal.pointer)
