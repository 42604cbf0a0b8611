"""The living alert: at most one unresolved per account and kind, whose reasons come and go. Pure; UTC epoch seconds."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, NamedTuple
from uuid import UUID

from scoring_svc.alert_rules.rules import SEVERITIES, Facts, Reason, RuleConfig
from scoring_svc.conditions.rules import assess
from scoring_svc.scorecards.rules import DAY

HOUR: Final = DAY / 24.0
SUGGESTED_PLAYS: Final[Mapping[str, str]] = {
    "at-risk": "recover-relationship",
    "plan": "unblock-plan",
    "growth": "grow-account",
}
_RECOVERED: Final[Mapping[str, str]] = {"plan": "has its plan on track again", "growth": "is past its moment to grow"}


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert in its life. Status open, acknowledged, snoozed or resolved.

    On an alert that a person resolved, `reasons` are those that still hold and therefore stay silent.
    """

    id: UUID
    kind: str
    status: str
    severity: str
    reasons: tuple[Reason, ...]
    opened_at: float
    last_fired_at: float
    episode: int = 1
    firings: int = 1
    acknowledged_at: float | None = None
    acknowledged_by: str | None = None
    snoozed_until: float | None = None
    resolved_at: float | None = None
    resolved_by: str | None = None
    resolution: str | None = None
    assignee_id: UUID | None = None
    version: int = 1

    @property
    def held(self) -> dict[str, Reason]:
        """The reasons by rule."""
        return {reason.rule: reason for reason in self.reasons}


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of an alert. `change` names the event; None is a change nobody needs to hear of."""

    alert: Alert
    change: str | None
    joined: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


class Outcome(NamedTuple):
    """Reasons that stand now, and since when conditions wait that must last before they fire."""

    reasons: tuple[Reason, ...]
    waiting: dict[str, float]


def standing_reasons(
    configs: Mapping[str, RuleConfig],
    facts: Facts,
    held: Mapping[str, Reason],
    waiting: Mapping[str, float],
    as_of: float,
) -> Outcome:
    """Assess every rule; a condition that is new must have lasted for its rule's hold."""
    reasons, still_waiting = [], {}
    for rule, config in configs.items():
        before = held.get(rule)
        reason = assess(config, facts, before, as_of)
        if reason is None:
            continue
        if before is None and config.hold_hours:
            since = waiting.get(rule, reason.since)
            if as_of - since < config.hold_hours * HOUR:
                still_waiting[rule] = since
                continue
        reasons.append(reason)
    return Outcome(tuple(reasons), still_waiting)


def decide(
    current: Alert | None,
    reasons: tuple[Reason, ...],
    configs: Mapping[str, RuleConfig],
    as_of: float,
    new_id: Callable[[], UUID],
    kind: str = "at-risk",
) -> Decision | None:
    """What the reasons that hold now make of the account's current alert (unresolved, or else the last one)."""
    held = current.held if current is not None else {}
    names = {reason.rule for reason in reasons}
    joined = tuple(reason.rule for reason in reasons if reason.rule not in held)
    left = tuple(rule for rule in held if rule not in names)
    if current is None or current.status == "resolved":
        return _fire(current, reasons, configs, as_of, new_id, kind, joined, left)
    if not reasons:
        resolved = replace(
            current,
            status="resolved",
            reasons=(),
            resolved_at=as_of,
            resolved_by="rules",
            resolution="the last reason cleared",
            snoozed_until=None,
            version=current.version + 1,
        )
        return Decision(resolved, "resolved", (), left)
    return _carry_on(current, reasons, as_of, joined, left)


def _fire(
    last: Alert | None,
    reasons: tuple[Reason, ...],
    configs: Mapping[str, RuleConfig],
    as_of: float,
    new_id: Callable[[], UUID],
    kind: str,
    joined: tuple[str, ...],
    left: tuple[str, ...],
) -> Decision | None:
    """Open a new alert or reopen the last one; what a person resolved stays so while only its old reasons hold."""
    if not joined:
        if last is None or not left:
            return None
        return Decision(replace(last, reasons=reasons, version=last.version + 1), None, (), left)
    severity = highest(reasons)
    if last is not None and last.resolved_at is not None:
        cool_down = max(configs[rule].cool_down_hours for rule in joined) * HOUR
        if as_of - last.resolved_at <= cool_down:
            reopened = replace(
                last,
                status="open",
                severity=severity,
                reasons=reasons,
                last_fired_at=as_of,
                episode=last.episode + 1,
                firings=last.firings + len(joined),
                acknowledged_at=None,
                acknowledged_by=None,
                resolved_at=None,
                resolved_by=None,
                resolution=None,
                version=last.version + 1,
            )
            return Decision(reopened, "reopened", joined, left)
    opened = Alert(new_id(), kind, "open", severity, reasons, as_of, as_of, firings=len(joined))
    return Decision(opened, "opened", joined, ())


def _carry_on(
    alert: Alert, reasons: tuple[Reason, ...], as_of: float, joined: tuple[str, ...], left: tuple[str, ...]
) -> Decision | None:
    """An unresolved alert goes on: reasons join, leave or fire again; a snooze ends by time or by something worse."""
    held = alert.held
    fired = len(joined) + sum(1 for reason in reasons if _fired_again(reason, held.get(reason.rule)))
    severity = highest(reasons)
    worse = any(rank(reason.severity) > rank(alert.severity) for reason in reasons if reason.rule in joined)
    wakes = alert.status == "snoozed" and (worse or (alert.snoozed_until is not None and alert.snoozed_until <= as_of))
    if not (fired or left or wakes or severity != alert.severity):
        return None
    changed = replace(
        alert,
        reasons=reasons,
        severity=severity,
        firings=alert.firings + fired,
        last_fired_at=as_of if fired else alert.last_fired_at,
        status=awake(alert) if wakes else alert.status,
        snoozed_until=None if wakes else alert.snoozed_until,
        version=alert.version + 1,
    )
    return Decision(changed, "updated", joined, left)


def _fired_again(reason: Reason, before: Reason | None) -> bool:
    """A held reason only gets a new value when it has got worse; its severity may change with the account."""
    return before is not None and (reason.value, reason.reference) != (before.value, before.reference)


def acknowledge(alert: Alert, by: str, at: float) -> Alert:
    """Someone has seen it. A snooze ends with it."""
    return replace(
        alert,
        status="acknowledged",
        acknowledged_at=at,
        acknowledged_by=by,
        snoozed_until=None,
        version=alert.version + 1,
    )


def snooze(alert: Alert, until: float) -> Alert:
    """Quiet until then, unless a reason of higher severity joins."""
    return replace(alert, status="snoozed", snoozed_until=until, version=alert.version + 1)


def resolve(alert: Alert, by: str, why: str, at: float) -> Alert:
    """Resolved by a person: stays so until a reason fires that was not there, or one clears and fires again."""
    return replace(
        alert,
        status="resolved",
        resolved_at=at,
        resolved_by=by,
        resolution=why,
        snoozed_until=None,
        version=alert.version + 1,
    )


def assign(alert: Alert, assignee_id: UUID | None) -> Alert:
    """Someone takes care of it, or nobody any more."""
    return replace(alert, assignee_id=assignee_id, version=alert.version + 1)


def touched(alert: Alert) -> Alert:
    """The same alert, one entry of its timeline later."""
    return replace(alert, version=alert.version + 1)


def awake(alert: Alert) -> str:
    """The status below a snooze."""
    return "acknowledged" if alert.acknowledged_at is not None else "open"


def rank(severity: str) -> int:
    """0 low to 3 critical."""
    return SEVERITIES.index(severity)


def highest(reasons: tuple[Reason, ...]) -> str:
    """The highest severity among the reasons."""
    return max((reason.severity for reason in reasons), key=rank)


def priority(severity: str, value: float | None, score: float) -> float:
    """Severity (1 to 4) times value at stake (1 when unknown) times the points missing from 100."""
    return (rank(severity) + 1) * (value or 1.0) * (100.0 - score)


def summary(name: str, alert: Alert, score: float, before: float | None) -> str:
    """One line for a person: who, what, how bad."""
    if alert.status == "resolved":
        return f"{name} {_RECOVERED.get(alert.kind, 'has recovered')}: {score:.0f}"
    was = "" if before is None or round(before) == round(score) else f" (was {before:.0f})"
    words = {
        "health-below": "is at risk",
        "going-dark": "is going dark",
        "plan-slipping": "falls behind its plan",
        "growth-opportunity": "is ready to grow",
    }
    rules = [reason.rule for reason in alert.reasons]
    said = next((words[rule] for rule in words if rule in rules), "needs attention")
    return f"{name} {said}: {score:.0f}{was}"
