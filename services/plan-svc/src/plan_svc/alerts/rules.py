"""Which plays follow from the alerts of one account. Pure: situation and signals in, situation out.

An open alert with a known play has an open play; a resolved one has none, unless somebody works on it.
Signals may come twice or in any order: of one alert only a higher sequence than the last one counts.
Who owns a play and what its steps are is said elsewhere (`plays`, `templates`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from plan_svc.plays.rules import CloseReason, PlayStatus


@dataclass(frozen=True, slots=True)
class Signal:
    """An alert event. ``play`` is a template's code or None; ``play_id`` names the play it would open."""

    alert_id: UUID
    sequence: int
    opened: bool
    play: str | None
    play_id: UUID
    at: datetime


@dataclass(frozen=True, slots=True)
class AlertSeen:
    """The newest that is known of an alert."""

    alert_id: UUID
    sequence: int
    open: bool
    play: str | None


@dataclass(frozen=True, slots=True)
class Play:
    """A play. ``alert_id`` None: opened by hand. ``worked_on``: taken, or a step begun or done."""

    play_id: UUID
    play: str
    alert_id: UUID | None
    worked_on: bool = False
    status: PlayStatus = PlayStatus.OPEN
    alert_resolved_at: datetime | None = None
    close_reason: CloseReason | None = None


@dataclass(frozen=True, slots=True)
class Situation:
    """The alerts and the open plays of one account."""

    alerts: dict[UUID, AlertSeen]
    plays: dict[UUID, Play]


@dataclass(frozen=True, slots=True)
class Opened:
    """A play that began."""

    play: Play
    signal: Signal


@dataclass(frozen=True, slots=True)
class Closed:
    """A play that ended."""

    play: Play
    signal: Signal


Change = Opened | Closed


def follow(before: Situation, signals: Iterable[Signal]) -> tuple[Situation, list[Change]]:
    """The situation after ``signals``, and the plays that opened and closed on the way, in order."""
    alerts, plays = dict(before.alerts), dict(before.plays)
    changes: list[Change] = []
    for signal in sorted(signals, key=lambda s: s.sequence):
        known = alerts.get(signal.alert_id)
        if known is not None and signal.sequence <= known.sequence:
            continue
        alerts[signal.alert_id] = AlertSeen(signal.alert_id, signal.sequence, signal.opened, signal.play)
        step = _open if signal.opened else _resolve
        changes += step(signal, alerts, plays)
    return Situation(alerts, plays), changes


def _open(signal: Signal, alerts: Mapping[UUID, AlertSeen], plays: dict[UUID, Play]) -> list[Change]:
    changes: list[Change] = []
    for play in _of_alert(signal.alert_id, plays):
        if play.play == signal.play:
            plays[play.play_id] = replace(play, alert_resolved_at=None)
        else:
            changes += _release(play, signal, CloseReason.ALERT_MOVED_ON, alerts, plays)
    if signal.play is None:
        return changes
    current = next((p for p in plays.values() if p.status is PlayStatus.OPEN and p.play == signal.play), None)
    if current is None:
        fresh = Play(signal.play_id, signal.play, signal.alert_id)
        plays[fresh.play_id] = fresh
        changes.append(Opened(fresh, signal))
    elif current.alert_resolved_at is not None:
        plays[current.play_id] = replace(current, alert_id=signal.alert_id, alert_resolved_at=None)
    return changes


def _resolve(signal: Signal, alerts: Mapping[UUID, AlertSeen], plays: dict[UUID, Play]) -> list[Change]:
    changes: list[Change] = []
    for play in _of_alert(signal.alert_id, plays):
        changes += _release(play, signal, CloseReason.ALERT_RESOLVED, alerts, plays)
    return changes


def _of_alert(alert_id: UUID, plays: Mapping[UUID, Play]) -> list[Play]:
    return [p for p in plays.values() if p.alert_id == alert_id and p.status is PlayStatus.OPEN]


def _release(
    play: Play,
    signal: Signal,
    reason: CloseReason,
    alerts: Mapping[UUID, AlertSeen],
    plays: dict[UUID, Play],
) -> list[Change]:
    """Let go of a play: to another alert that asks for it, to who works on it, or by closing it."""
    heir = next((a for a in alerts.values() if a.open and a.play == play.play and a.alert_id != signal.alert_id), None)
    if heir is not None:
        plays[play.play_id] = replace(play, alert_id=heir.alert_id, alert_resolved_at=None)
    elif play.worked_on:
        plays[play.play_id] = replace(play, alert_resolved_at=signal.at)
    else:
        closed = replace(play, status=PlayStatus.CLOSED, close_reason=reason)
        plays[play.play_id] = closed
        return [Closed(closed, signal)]
    return []
