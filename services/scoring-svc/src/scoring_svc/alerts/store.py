"""All SQL of alerts. Saving a change writes the alert, its timeline and its event together, never one alone."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from bellwether_kit.db import UnitOfWork, arrays
from bellwether_kit.events import Event
from bellwether_kit.faults import fault_point
from scoring_svc.alert_rules.rules import Reason
from scoring_svc.alerts.rules import SUGGESTED_PLAYS, Alert, priority
from scoring_svc.breaker import store as breaker_store
from scoring_svc.health.store import instant
from scoring_svc.ledger.store import key_arrays
from scoring_svc.notifications import store as notifications_store
from scoring_svc.published import (
    AlertAcknowledged,
    AlertLinks,
    AlertOpened,
    AlertReason,
    AlertReopened,
    AlertResolved,
    AlertSnoozed,
    AlertState,
    AlertUpdated,
    Driver,
    ValueAtStake,
)

Key = tuple[str, str]
EVENTS: Final[dict[str, type[AlertState]]] = {
    "opened": AlertOpened,
    "updated": AlertUpdated,
    "assigned": AlertUpdated,
    "acknowledged": AlertAcknowledged,
    "snoozed": AlertSnoozed,
    "resolved": AlertResolved,
    "reopened": AlertReopened,
    "released": AlertOpened,
}
_EPOCHS = ", ".join(
    f"CAST(extract(epoch FROM {name}) AS float8)"
    for name in ("opened_at", "last_fired_at", "acknowledged_at", "snoozed_until", "resolved_at")
)
COLUMNS = f"""
    tenant, CAST(account_id AS text), CAST(said AS text), CAST(reasons AS text), id, kind, status, severity, episode,
    firings, version, acknowledged_by, resolved_by, resolution, assignee_id, {_EPOCHS}
"""
_CURRENT = text(f"""
    SELECT {COLUMNS}
    FROM unnest(CAST(:tenant AS text[]), CAST(:account_id AS uuid[])) AS k(tenant, account_id)
    JOIN alert USING (tenant, account_id)
    WHERE current
""")
_BY_ID = text(f"SELECT {COLUMNS} FROM alert WHERE tenant = :tenant AND id = :id")
_PAST = text("""
    UPDATE alert SET current = false
    FROM unnest(CAST(:tenant AS text[]), CAST(:id AS uuid[])) AS k(tenant, id)
    WHERE alert.tenant = k.tenant AND alert.id = k.id
""")
_SAVE = text("""
    INSERT INTO alert SELECT * FROM jsonb_populate_recordset(NULL::alert, CAST(:rows AS jsonb))
    ON CONFLICT (tenant, id) DO UPDATE
    SET version = EXCLUDED.version, status = EXCLUDED.status, severity = EXCLUDED.severity,
        episode = EXCLUDED.episode, firings = EXCLUDED.firings, priority = EXCLUDED.priority,
        last_fired_at = EXCLUDED.last_fired_at, acknowledged_at = EXCLUDED.acknowledged_at,
        acknowledged_by = EXCLUDED.acknowledged_by, snoozed_until = EXCLUDED.snoozed_until,
        resolved_at = EXCLUDED.resolved_at, resolved_by = EXCLUDED.resolved_by, resolution = EXCLUDED.resolution,
        assignee_id = EXCLUDED.assignee_id, owner_id = EXCLUDED.owner_id, reasons = EXCLUDED.reasons,
        said = EXCLUDED.said,
        raised_at = CASE WHEN EXCLUDED.episode > alert.episode THEN EXCLUDED.raised_at ELSE alert.raised_at END
""")
_NOTE = text("""
    INSERT INTO alert_change (tenant, alert_id, version, at, change, by, detail)
    SELECT tenant, alert_id, version, at, change, by, detail
    FROM jsonb_populate_recordset(NULL::alert_change, CAST(:rows AS jsonb))
""")
_LOOK_AGAIN = text("""
    UPDATE account_health SET next_evaluation_at = :now WHERE tenant = :tenant AND account_id = :account_id
""")
_LOCK = text("""
    SELECT 1 FROM account_health JOIN alert USING (tenant, account_id)
    WHERE alert.tenant = :tenant AND alert.id = :id FOR UPDATE OF account_health
""")


class Circumstances(msgspec.Struct, frozen=True, kw_only=True):
    """What was known of the account when its alert last changed; shown with the alert and kept with it."""

    account_name: str | None
    owner_id: UUID | None
    tier: str | None
    value_at_stake: ValueAtStake | None
    renewal_at: datetime | None
    score: float
    confidence: float
    scorecard_version: int
    summary: str
    drivers: list[Driver] = []


@dataclass(frozen=True, slots=True)
class Held:
    """An alert as stored: whose it is, and in what circumstances it last changed."""

    tenant: str
    account_id: str
    alert: Alert
    circumstances: Circumstances


@dataclass(frozen=True, slots=True)
class Change:
    """A change to save. `change` is None when nobody needs to hear of it; `replaces` is the alert that was current."""

    held: Held
    change: str | None
    by: str = "rules"
    detail: dict[str, Any] = field(default_factory=dict)
    replaces: UUID | None = None


_reasons = msgspec.json.Decoder(tuple[Reason, ...])
_circumstances = msgspec.json.Decoder(Circumstances)


def held_from(row: Sequence[Any]) -> Held:
    """The alert in a row of the columns above."""
    tenant, account_id, said, reasons, id_, kind, status, severity, episode, firings = row[:10]
    version, acknowledged_by, resolved_by, resolution, assignee_id = row[10:15]
    opened_at, last_fired_at, acknowledged_at, snoozed_until, resolved_at = row[15:]
    alert = Alert(
        id=id_,
        kind=kind,
        status=status,
        severity=severity,
        reasons=_reasons.decode(reasons),
        opened_at=opened_at,
        last_fired_at=last_fired_at,
        episode=episode,
        firings=firings,
        acknowledged_at=acknowledged_at,
        acknowledged_by=acknowledged_by,
        snoozed_until=snoozed_until,
        resolved_at=resolved_at,
        resolved_by=resolved_by,
        resolution=resolution,
        assignee_id=assignee_id,
        version=version,
    )
    return Held(tenant, account_id, alert, _circumstances.decode(said))


async def current(session: AsyncSession, keys: Collection[Key]) -> dict[Key, dict[str, Held]]:
    """The current alert of each kind (unresolved, or else the last one) of those accounts that ever had one."""
    found: dict[Key, dict[str, Held]] = {}
    for row in (await session.execute(_CURRENT, key_arrays(keys))).all():
        held = held_from(row)
        found.setdefault((held.tenant, held.account_id), {})[held.alert.kind] = held
    return found


async def by_id(session: AsyncSession, tenant: str, alert_id: UUID, *, lock: bool = False) -> Held | None:
    """One alert of the tenant; `lock` takes its account's lock first, so that no evaluation comes between."""
    if lock:
        await session.execute(_LOCK, {"tenant": tenant, "id": alert_id})
    row = (await session.execute(_BY_ID, {"tenant": tenant, "id": alert_id})).first()
    return held_from(row) if row is not None else None


async def save(uow: UnitOfWork, changes: Sequence[Change]) -> None:
    """Write alerts, timelines and events of the changes, at most one change per alert."""
    if past := [(c.held.tenant, c.replaces) for c in changes if c.replaces is not None]:
        await uow.session.execute(_PAST, arrays("tenant id", past))
    await uow.session.execute(_SAVE, {"rows": _json([_row(c, uow.now) for c in changes])})
    fault_point("in-alert")
    told = [c for c in changes if c.change is not None]
    if not told:
        return
    said = [(c.held.tenant, c.change or "", state_of(c.held, EVENTS.get(c.change or "", AlertState))) for c in told]
    heard = await breaker_store.passed(uow, said)
    released = {state.alert_id for _, change, state in heard if change == "released"}
    noted = [replace(c, change="released") if c.held.alert.id in released else c for c in told]
    await uow.session.execute(_NOTE, {"rows": _json([_note(c, uow.now) for c in noted])})
    for tenant, change, state in heard:
        if change in EVENTS:
            uow.emit(Event.of(state, tenant=tenant, subject=str(state.account_id), time=uow.now))
    await notifications_store.queue(uow, heard)


async def look_again(uow: UnitOfWork, held: Held) -> None:
    """Have the account evaluated at once, after a person changed what its rules go by."""
    await uow.session.execute(_LOOK_AGAIN, {"tenant": held.tenant, "account_id": held.account_id, "now": uow.now})


def _json(rows: list[dict[str, Any]]) -> str:
    return msgspec.json.encode(rows).decode()


def _row(change: Change, now: datetime) -> dict[str, Any]:
    held, alert = change.held, change.held.alert
    value = held.circumstances.value_at_stake
    return {
        "tenant": held.tenant,
        "id": alert.id,
        "account_id": held.account_id,
        "version": alert.version,
        "kind": alert.kind,
        "status": alert.status,
        "severity": alert.severity,
        "current": True,
        "episode": alert.episode,
        "firings": alert.firings,
        "priority": priority(alert.severity, value.amount if value else None, held.circumstances.score),
        "opened_at": _time(alert.opened_at),
        "raised_at": now,
        "last_fired_at": _time(alert.last_fired_at),
        "acknowledged_at": _time(alert.acknowledged_at),
        "acknowledged_by": alert.acknowledged_by,
        "snoozed_until": _time(alert.snoozed_until),
        "resolved_at": _time(alert.resolved_at),
        "resolved_by": alert.resolved_by,
        "resolution": alert.resolution,
        "assignee_id": alert.assignee_id,
        "owner_id": held.circumstances.owner_id,
        "reasons": alert.reasons,
        "said": held.circumstances,
    }


def _note(change: Change, now: datetime) -> dict[str, Any]:
    alert = change.held.alert
    return {
        "tenant": change.held.tenant,
        "alert_id": alert.id,
        "version": alert.version,
        "at": now,
        "change": change.change,
        "by": change.by,
        "detail": {
            "status": alert.status,
            "severity": alert.severity,
            "score": change.held.circumstances.score,
            "reasons": [reason.rule for reason in alert.reasons],
            **change.detail,
        },
    }


def state_of(held: Held, type_: type[AlertState] = AlertState) -> AlertState:
    """The alert as its events and its API tell it."""
    alert, known = held.alert, held.circumstances
    return type_(
        alert_id=alert.id,
        account_id=UUID(held.account_id),
        account_name=known.account_name,
        owner_id=known.owner_id,
        assignee_id=alert.assignee_id,
        tier=known.tier,
        kind=alert.kind,
        reasons=[_reason(reason) for reason in alert.reasons] if alert.status != "resolved" else [],
        severity=alert.severity,
        status=alert.status,
        episode=alert.episode,
        summary=known.summary,
        opened_at=instant(alert.opened_at),
        last_fired_at=instant(alert.last_fired_at),
        firings=alert.firings,
        snoozed_until=_time(alert.snoozed_until),
        resolved_at=_time(alert.resolved_at),
        value_at_stake=known.value_at_stake,
        renewal_at=known.renewal_at,
        score=known.score,
        confidence=known.confidence,
        scorecard_version=known.scorecard_version,
        drivers=known.drivers,
        suggested_play=SUGGESTED_PLAYS[alert.kind],
        links=AlertLinks(alert=f"/v1/alerts/{alert.id}", account=f"/v1/accounts/{held.account_id}/health"),
    )


def _reason(reason: Reason) -> AlertReason:
    return AlertReason(
        rule=reason.rule,
        since=instant(reason.since),
        severity=reason.severity,
        value=reason.value,
        threshold=reason.threshold,
        clear_threshold=reason.clear_threshold,
    )


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else instant(seconds)
