"""What is said to each kind of receiver about alerts, and when a failed delivery is tried again. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from typing import Any, Final

Said = Mapping[str, Any]
"""An alert as its events carry it, ``change`` (what became of it) besides."""

FIRST_WAIT: Final = timedelta(seconds=30)
LONGEST_WAIT: Final = timedelta(hours=4)
PATIENCE: Final = timedelta(days=3)
OPENINGS: Final = frozenset({"opened", "reopened", "released"})
RAISED: Final = "raised-to-"
"""Before a severity: the alert has become that severe, or severe enough for a channel to hear of it."""
_PAGERDUTY: Final = {"low": "info", "medium": "warning", "high": "error", "critical": "critical"}
_NEVER: Final = "0001-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Letter:
    """What goes to people: a line, and the same at more length as text and as HTML."""

    subject: str
    text: str
    html: str


def next_try(attempts: int, first_due: datetime, now: datetime, jitter: float) -> datetime | None:
    """When to try again after ``attempts`` failures (at least 1); None once patience is at an end.

    ``jitter``, 0 to 1, spreads tries over half of the wait.
    """
    wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(attempts - 1, 20))
    at = now + wait * (1 - jitter / 2)
    return at if at - first_due < PATIENCE else None


def webhook(said: Sequence[Said], now: datetime, *, digest: bool) -> dict[str, Any]:
    """A Standard Webhooks payload: the alert as its events carry it, or several of them in a digest."""
    if digest:
        return {"type": "alerts.digest", "timestamp": now.isoformat(), "data": {"alerts": list(said)}}
    return {"type": f"alert.{_verb(said[0])}", "timestamp": now.isoformat(), "data": said[0]}


def pagerduty(said: Said, routing_key: str) -> dict[str, Any]:
    """An event of PagerDuty's Events API v2; the alert's id keeps what becomes of it in one incident."""
    action = {"acknowledged": "acknowledge", "resolved": "resolve"}.get(said["change"], "trigger")
    event = {"routing_key": routing_key, "event_action": action, "dedup_key": said["alert_id"]}
    if action != "trigger":
        return event
    payload = {
        "summary": said["summary"][:1_024],
        "source": "bellwether",
        "severity": _PAGERDUTY[said["severity"]],
        "timestamp": said["last_fired_at"],
        "component": said["account_name"] or said["account_id"],
        "group": said["kind"],
        "class": ", ".join(_rules(said)),
        "custom_details": said,
    }
    return event | {"client": "Bellwether", "payload": payload}


def alertmanager(said: Said) -> dict[str, Any]:
    """What Alertmanager posts to a webhook receiver, version 4, with this one alert."""
    is_over = said["status"] == "resolved"
    status = "resolved" if is_over else "firing"
    labels = {
        "alertname": said["kind"],
        "account_id": said["account_id"],
        "account": said["account_name"] or said["account_id"],
        "severity": said["severity"],
        "tier": said["tier"] or "",
        "rules": ",".join(_rules(said)),
    }
    annotations = {"summary": said["summary"], "score": f"{said['score']:.1f}"}
    alert = {
        "status": status,
        "labels": labels,
        "annotations": annotations,
        "startsAt": said["opened_at"],
        "endsAt": said["resolved_at"] if is_over else _NEVER,
        "generatorURL": said["links"]["alert"],
        "fingerprint": said["alert_id"].replace("-", "")[-16:],
    }
    group = {"alertname": said["kind"], "account_id": said["account_id"]}
    return {
        "version": "4",
        "groupKey": f"bellwether/{said['alert_id']}",
        "truncatedAlerts": 0,
        "status": status,
        "receiver": "bellwether",
        "groupLabels": group,
        "commonLabels": labels,
        "commonAnnotations": annotations,
        "externalURL": said["links"]["alert"],
        "alerts": [alert],
    }


def slack(said: Sequence[Said]) -> dict[str, Any]:
    """A message for an incoming webhook of Slack; names can't make links or mentions."""
    text = "\n".join(line(one) for one in said)
    return {"text": text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")}


def teams(said: Sequence[Said]) -> dict[str, Any]:
    """An adaptive card for an incoming webhook of Teams."""
    body = [{"type": "TextBlock", "text": line(one), "wrap": True} for one in said]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    return {"type": "message", "attachments": [attachment]}


def letter(said: Sequence[Said]) -> Letter:
    """An e-mail about an alert, or about several."""
    subject = line(said[0]) if len(said) == 1 else f"{len(said)} news of accounts"
    text = "\n\n".join("\n".join([line(one), *_details(one)]) for one in said)
    html = "".join(
        f"<h3>{escape(line(one))}</h3><ul>{''.join(f'<li>{escape(part)}</li>' for part in _details(one))}</ul>"
        for one in said
    )
    return Letter(" ".join(subject.split())[:200], text + "\n", f"<html><body>{html}</body></html>")


def line(said: Said) -> str:
    """One line: how severe, what became of it, and what it is about."""
    return f"[{said['severity']}] {said['summary']} ({_verb(said)})"


def _details(said: Said) -> list[str]:
    value = said["value_at_stake"]
    return [
        f"Score {said['score']:.0f}, confidence {said['confidence']:.0%}",
        *([f"At stake {value['amount']:,.0f} {value['currency']}"] if value else []),
        *(f"{reason['rule']} since {reason['since']}" for reason in said["reasons"]),
        *(f"{driver['kind']} at {driver['observed_at']}: {driver['points']:+.1f}" for driver in said["drivers"]),
        f"Suggested play: {said['suggested_play']}",
        said["links"]["alert"],
    ]


def _rules(said: Said) -> list[str]:
    return [reason["rule"] for reason in said["reasons"]]


def _verb(said: Said) -> str:
    return "raised" if said["change"].startswith(RAISED) else str(said["change"])
