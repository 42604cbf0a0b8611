"""The domain errors of this service and the one table that gives each its HTTP status and stable code."""

from bellwether_kit.errors import DomainError
from profile_svc.accounts.rules import Refusal, Rule


class UnknownAccount(DomainError):
    """No account of the tenant has this id."""


class NameMissing(DomainError):
    """An account would have no name."""


class ContractOutOfOrder(DomainError):
    """A contract would end before it starts."""


class DateOutOfReach(DomainError):
    """A date lies further ahead than it can."""


class UnknownParent(DomainError):
    """The account named as parent is not known."""


class ParentCycle(DomainError):
    """An account would become its own ancestor."""


class ExternalIdTaken(DomainError):
    """An external id belongs to another account, and moves only after that one has given it up."""


class TooManyExternalIds(DomainError):
    """An account would gather more external ids than it may have."""


class AccountHasChildren(DomainError):
    """An account can't be removed while others name it as parent."""


ERRORS: dict[type[DomainError], tuple[int, str]] = {
    UnknownAccount: (404, "unknown-account"),
    NameMissing: (422, "name-missing"),
    ContractOutOfOrder: (422, "contract-out-of-order"),
    DateOutOfReach: (422, "date-out-of-reach"),
    UnknownParent: (422, "unknown-parent"),
    ParentCycle: (409, "parent-cycle"),
    ExternalIdTaken: (409, "external-id-taken"),
    TooManyExternalIds: (422, "too-many-external-ids"),
    AccountHasChildren: (409, "account-has-children"),
}

_BROKEN: dict[Rule, type[DomainError]] = {
    Rule.NAME_GIVEN: NameMissing,
    Rule.CONTRACT_IN_ORDER: ContractOutOfOrder,
    Rule.DATES_IN_REACH: DateOutOfReach,
    Rule.PARENT_KNOWN: UnknownParent,
    Rule.NO_CYCLE: ParentCycle,
    Rule.ONE_ACCOUNT_PER_EXTERNAL_ID: ExternalIdTaken,
    Rule.FEW_EXTERNAL_IDS: TooManyExternalIds,
}


def error_of(refusal: Refusal) -> DomainError:
    """The error that says what ``refusal`` found."""
    return _BROKEN[refusal.rule](refusal.detail, pointer=refusal.pointer)
