"""Sending what is due: several receivers at a time, each with a deadline; what fails is tried again for three days."""

import asyncio
import random
import smtplib
import ssl
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any, Final
from uuid import UUID

import httpx
import structlog
from pydantic_core import Url, to_json
from sqlalchemy import Row
from standardwebhooks.webhooks import Webhook

from bellwether_kit.db import UnitOfWork
from bellwether_kit.faults import fault_point
from bellwether_kit.outgoing import CheckedTransport, ForbiddenAddress
from scoring_svc.channels import store as channels_store
from scoring_svc.channels.store import Channel
from scoring_svc.notifications import rules, store
from scoring_svc.notifications.rules import Letter, Said
from scoring_svc.notifications.store import Settled
from scoring_svc.settings import Settings

DIGEST_LIMIT: Final = 200
"""News in one digest; more come in the next message."""
GONE: Final = 410

log = structlog.get_logger(__name__)

Mail = tuple[Settings, Sequence[str], Letter, UUID]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a try: the receiver's status, if it is a web address, and what went wrong, None when sent."""

    answer: int | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """Rows that go to a channel in one message: one, or those of a digest."""

    rows: Sequence[Row[Any]]

    @property
    def id(self) -> UUID:
        """What receivers know the message by, the same at every try."""
        return UUID(str(self.rows[0].notification_id))

    @property
    def said(self) -> list[Said]:
        """What it tells."""
        return [row.said for row in self.rows]


async def deliver(uow: UnitOfWork, rows: Sequence[Row[Any]]) -> None:
    """Send the notifications that the timer claimed and record what came of each."""
    settings = _settings(uow)
    digests = {(row.tenant, row.channel_id) for row in rows if row.digest}
    more = await store.mates(uow.session, digests, uow.now, DIGEST_LIMIT) if digests else []
    claimed = {row.notification_id: row for row in (*rows, *more)}
    channels = await channels_store.opened(
        uow.session, {(row.tenant, row.channel_id) for row in claimed.values()}, settings.vault
    )
    ahead = await store.ahead(uow.session, list(claimed))
    lines: dict[Any, list[Message]] = defaultdict(list)
    for message in _messages(sorted(claimed.values(), key=lambda row: row.notification_id)):
        first = message.rows[0]
        lines[first.tenant, first.channel_id, None if first.digest else first.alert_id].append(message)
    async with httpx.AsyncClient(transport=CheckedTransport(private=settings.private_channels)) as client:
        sent = await asyncio.gather(
            *(_send_in_order(client, settings, channels.get(key[:2]), line, ahead) for key, line in lines.items())
        )
    fault_point("after-delivery")
    settled = [_settled(row, outcome, uow.now) for line in sent for message, outcome in line for row in message.rows]
    tried = {one.id for one in settled}
    settled += [_put_off(row, ahead, uow.now) for row in claimed.values() if row.notification_id not in tried]
    await store.settle(uow, settled)
    gone = {key[:2] for key, line in zip(lines, sent, strict=True) if any(o.answer == GONE for _, o in line)}
    await channels_store.disable_gone(uow.session, gone, uow.now)


async def forget(uow: UnitOfWork, rows: Sequence[Row[Any]]) -> None:
    """Forget deliveries that ended long ago."""
    await store.forget(uow.session, [(row.tenant, row.notification_id) for row in rows])


def _messages(rows: Sequence[Row[Any]]) -> list[Message]:
    digests: dict[Any, list[Row[Any]]] = defaultdict(list)
    for row in rows:
        if row.digest:
            digests[row.tenant, row.channel_id].append(row)
    return [Message([row]) for row in rows if not row.digest] + [Message(mates) for mates in digests.values()]


async def _send_in_order(
    client: httpx.AsyncClient,
    settings: Settings,
    channel: Channel | None,
    line: Sequence[Message],
    ahead: dict[UUID, datetime],
) -> list[tuple[Message, Outcome]]:
    """Send the messages of one alert to one channel, the oldest first; after a failure the others wait."""
    done: list[tuple[Message, Outcome]] = []
    for message in line:
        if not message.rows[0].digest and message.id in ahead:
            break
        done.append((message, await _send(client, settings, channel, message)))
        _say(message, done[-1][1])
        if done[-1][1].problem is not None:
            break
    return done


def _say(message: Message, outcome: Outcome) -> None:
    """Leave a line for each try at once: what came of one may be lost with the process, and is then tried again."""
    first = message.rows[0]
    said = {"tenant": first.tenant, "notification": str(message.id), "channel": str(first.channel_id)}
    log.info("notification.tried", **said, attempt=first.attempts + 1, answer=outcome.answer, problem=outcome.problem)


async def _send(client: httpx.AsyncClient, settings: Settings, channel: Channel | None, message: Message) -> Outcome:
    if channel is None or channel.is_disabled:
        return Outcome(problem="channel-removed" if channel is None else "channel-disabled")
    try:
        async with asyncio.timeout(settings.delivery_timeout):
            if channel.kind == "email":
                mail = (settings, channel.recipients, rules.letter(message.said), message.id)
                await asyncio.to_thread(_post_mail, *mail)
                return Outcome()
            url, body, headers = _request(channel, message)
            async with client.stream("POST", url, content=body, headers=headers) as answer:
                code = answer.status_code
                return Outcome(code, None if 200 <= code < 300 else f"answered-{code}")
    except TimeoutError:
        return Outcome(problem="no-answer-in-time")
    except ForbiddenAddress as error:
        return Outcome(problem=f"address-refused: {error}")
    except (httpx.HTTPError, OSError, smtplib.SMTPException) as error:
        return Outcome(problem=f"not-reached: {type(error).__name__}")
    except LookupError:
        return Outcome(problem="no-secret")
    except Exception:
        # A message that can't be made must not keep the others from being sent.
        log.exception("notification.failed", notification=str(message.id))
        return Outcome(problem="unexpected")


def _request(channel: Channel, message: Message) -> tuple[str, bytes, dict[str, str]]:
    """Address, body and headers of a message; raises LookupError when the secret is missing."""
    headers = {"content-type": "application/json", "user-agent": "Bellwether"}
    said = message.said
    match channel.kind:
        case "webhook":
            now = datetime.now(UTC)  # receivers compare it with their own clock
            body = to_json(rules.webhook(said, now, digest=message.rows[0].digest))
            signed = [Webhook(secret).sign(str(message.id), now, body.decode()) for secret in channel.secrets]
            if not signed:
                raise LookupError("no secret")
            headers |= {
                "webhook-id": str(message.id),
                "webhook-timestamp": str(int(now.timestamp())),
                "webhook-signature": " ".join(signed),
            }
            return channel.address or "", body, headers
        case "pagerduty":
            return channel.address or "", to_json(rules.pagerduty(said[0], channel.secrets[0])), headers
        case "alertmanager":
            if channel.secrets:
                headers["authorization"] = f"Bearer {channel.secrets[0]}"
            return channel.address or "", to_json(rules.alertmanager(said[0])), headers
        case "slack":
            return channel.secrets[0], to_json(rules.slack(said)), headers
        case "teams":
            return channel.secrets[0], to_json(rules.teams(said)), headers
    raise ValueError(f"no channel of kind {channel.kind}")


def _post_mail(settings: Settings, recipients: Sequence[str], letter: Letter, id_: UUID) -> None:
    """Hand a letter to the mail server; runs in a thread."""
    server = settings.mail_server
    if server is None:
        raise LookupError("no mail server")
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = letter.subject, settings.mail_sender, ", ".join(recipients)
    mail["Message-ID"] = f"<{id_}@bellwether>"
    mail.set_content(letter.text)
    mail.add_alternative(letter.html, subtype="html")
    with _connected(server, settings.delivery_timeout) as smtp:
        if server.username:
            smtp.login(server.username, server.password or "")
        smtp.send_message(mail)


def _connected(server: Url, timeout: float) -> smtplib.SMTP:
    host, context = server.host or "", ssl.create_default_context()
    if server.scheme == "smtps":
        return smtplib.SMTP_SSL(host, server.port or 465, timeout=timeout, context=context)
    smtp = smtplib.SMTP(host, server.port or 587, timeout=timeout)
    smtp.ehlo()
    if smtp.has_extn("starttls"):
        smtp.starttls(context=context)
        smtp.ehlo()
    return smtp


def _settled(row: Row[Any], outcome: Outcome, now: datetime) -> Settled:
    """Sent, to be tried again, or given up: because the channel is no more, or when patience is at an end."""
    key, attempts = (row.tenant, row.notification_id), row.attempts + 1
    if outcome.problem is None:
        return Settled(*key, "sent", None, attempts, outcome.answer, None)
    again = rules.next_try(attempts, row.first_due_at, now, random.random())  # noqa: S311 - it only spreads tries
    if outcome.answer == GONE or outcome.problem.startswith("channel-") or again is None:
        return Settled(*key, "given-up", None, attempts, outcome.answer, outcome.problem)
    return Settled(*key, "waiting", again, attempts, outcome.answer, outcome.problem)


def _put_off(row: Row[Any], ahead: dict[UUID, datetime], now: datetime) -> Settled:
    """To be tried after the one before it; that it was not tried counts for nothing."""
    before = max(ahead.get(row.notification_id, now), now)
    due = before + timedelta(seconds=1)
    return Settled(row.tenant, row.notification_id, "waiting", due, row.attempts, row.answer, row.problem)


def _settings(uow: UnitOfWork) -> Settings:
    if not isinstance(uow.settings, Settings):
        raise TypeError("scoring-svc runs with its own settings")
    return uow.settings
