"""The rules of plan-svc that a request can break, and the one table of their status and code."""

from bellwether_kit.errors import DomainError


class UnknownAccount(DomainError):
    """The account is not known to this service (yet)."""


class UnknownPlan(DomainError):
    """There is no such plan."""


class UnknownAction(DomainError):
    """There is no such action."""


class UnknownPlay(DomainError):
    """There is no such play."""


class UnknownTemplate(DomainError):
    """No play template has this code."""


class PlanClosed(DomainError):
    """A closed plan is a record: it doesn't change."""


class PlanStatusNotReachable(DomainError):
    """A plan goes from draft to active to closed, never back."""


class UnknownDependency(DomainError):
    """An action may wait only for actions of the same plan or play."""


class DependencyCycle(DomainError):
    """Actions that wait for each other would never start."""


class PlayClosed(DomainError):
    """A closed play is a record: it doesn't change."""


class PlayAlreadyOpen(DomainError):
    """An account has at most one open play of a kind."""


ERRORS: dict[type[DomainError], tuple[int, str]] = {
    UnknownAccount: (404, "unknown-account"),
    UnknownPlan: (404, "unknown-plan"),
    UnknownAction: (404, "unknown-action"),
    UnknownPlay: (404, "unknown-play"),
    UnknownTemplate: (422, "unknown-play-template"),
    PlanClosed: (409, "plan-closed"),
    PlanStatusNotReachable: (409, "plan-status-not-reachable"),
    UnknownDependency: (422, "unknown-dependency"),
    DependencyCycle: (422, "dependency-cycle"),
    PlayClosed: (409, "play-closed"),
    PlayAlreadyOpen: (409, "play-already-open"),
}
