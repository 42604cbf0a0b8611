"""The routes by which an administrator says where alerts may be sent. What is secret is told to nobody again."""

import binascii
import secrets
from base64 import b64decode, b64encode
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit
from uuid import UUID

from fastapi import Depends, Query, Response
from pydantic import Field, StringConstraints, model_validator
from sqlalchemy import Row

from bellwether_kit.db import UnitOfWork
from bellwether_kit.http import (
    Answer,
    Call,
    Page,
    PageRequest,
    RequestModel,
    ResponseModel,
    changes,
    etag,
    if_match,
    requires,
)
from bellwether_kit.http import router as routes
from bellwether_kit.http.calls import rendered
from bellwether_kit.outgoing import ForbiddenAddress, checked_address
from scoring_svc.channels import store
from scoring_svc.channels.rules import KINDS, flaw, place
from scoring_svc.errors import AddressRefused, NoMailServer, NoSecretKey, UnfitChannel
from scoring_svc.settings import Settings

router = routes(tags=["channels"])

Reader = Annotated[Call, Depends(requires("alerts:read", "alerts:admin"))]
Admin = Annotated[Call, Depends(requires("alerts:admin"))]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
Mailbox = Annotated[str, StringConstraints(max_length=254, pattern=r"^[^@\s,<>\"]+@[^@\s,<>\"]+$")]
Mailboxes = Annotated[tuple[Mailbox, ...], Field(max_length=50)]
Secret = Annotated[str, StringConstraints(min_length=8, max_length=500, pattern=r"^[!-~]+$")]
GIVEN_NAME = {"alertmanager": "the bearer token", "pagerduty": "the routing key"}


class NewChannel(RequestModel):
    """A channel. Of Slack and Teams the ``url`` is the secret; a webhook without a ``secret`` is given one."""

    name: Name
    kind: Literal["webhook", "pagerduty", "alertmanager", "email", "slack", "teams"]
    url: Annotated[str | None, StringConstraints(max_length=2_000)] = None
    recipients: Mailboxes = ()
    secret: Secret | None = None
    reason: Reason

    @model_validator(mode="after")
    def _whole(self) -> Self:
        """Refuse recipients of anything but e-mail, and secrets where there are none."""
        if (self.kind == "email") != bool(self.recipients):
            raise ValueError("recipients are for e-mail, which has at least one")
        if self.secret is not None and KINDS[self.kind].needs in ("none", "address"):
            raise ValueError(f"{self.kind} takes no secret besides its address")
        if self.url is not None and self.kind == "email":
            raise ValueError("e-mail goes to recipients and has no url")
        return self


class ChannelPatch(RequestModel):
    """What may change of a channel; another address is another channel."""

    name: Name = ""
    recipients: Mailboxes = ()
    disabled: bool = False
    reason: Reason


class NewSecret(RequestModel):
    """The next secret, or none where we make them; of Slack and Teams the next address."""

    secret: Annotated[str | None, StringConstraints(min_length=8, max_length=2_000, pattern=r"^[!-~]+$")] = None


class SecretView(ResponseModel):
    """One live secret. What it is, nobody is told."""

    id: UUID
    created_at: datetime
    created_by: str


class MadeSecret(ResponseModel):
    """A secret that was added. `secret` is there when we made it, this once and never again."""

    id: UUID
    secret: str | None = None


class ChannelView(ResponseModel):
    """A channel. Of a chat ``address`` is its host only; author, reason and time are of the last change."""

    id: UUID
    name: str
    kind: str
    address: str | None
    recipients: list[str]
    secrets: list[SecretView]
    author: str
    reason: str
    changed_at: datetime
    disabled_at: datetime | None


class MadeChannel(ChannelView):
    """A channel that was made, with the signing secret when we made it, this once and never again."""

    secret: str | None = None


def _view(row: Row[Any]) -> ChannelView:
    return ChannelView.model_validate({**row._asdict(), "id": row.channel_id})


def _answer(row: Row[Any]) -> Answer:
    return Answer(_view(row), 200, {"ETag": etag(row.version)})


@router.post("/channels", operation_id="create-channel", response_model=MadeChannel, status_code=201)
async def create_channel(body: NewChannel, call: Admin) -> Response:
    """Make a channel; routes say what is sent by it.

    The answer may show a secret, so it is kept nowhere, and an `Idempotency-Key` changes nothing: a channel that was
    made already is told by its name.
    """
    kind, settings = KINDS[body.kind], _settings(call)
    if body.kind == "email" and settings.mail_server is None:
        raise NoMailServer("This installation has no mail server: set BELLWETHER_SCORING_MAIL_SERVER.")
    url = body.url or kind.address
    if body.url is not None:
        await _check(body.url, settings, "/url")
    elif kind.needs_address:
        raise UnfitChannel(f"A channel of kind {body.kind} needs a url.", pointer="/url")
    made, secret = _secret(body.kind, url, body.secret)
    sealed = None if secret is None else _sealed(settings, secret)
    shown = urlsplit(url).hostname if url is not None and kind.needs == "address" else url

    async def work(uow: UnitOfWork) -> Answer:
        given = {"name": body.name, "kind": body.kind, "address": shown, "recipients": list(body.recipients)}
        id_ = await store.add(uow, call.tenant, {**given, "author": call.subject, "reason": body.reason})
        if sealed is not None:
            await store.add_secret(uow, call.tenant, id_, sealed, author=call.subject)
        row = await store.one(uow.session, call.tenant, id_)
        view = MadeChannel.model_validate({**_view(row).model_dump(), "secret": made})
        return Answer(view, 201, {"ETag": etag(row.version)})

    return rendered(await call.transact(work))


@router.get("/channels", operation_id="list-channels")
async def list_channels(call: Reader, page: PageRequest) -> Page[ChannelView]:
    """The channels, the oldest first."""
    async with call.read() as session:
        rows = await store.listed(session, call.tenant, after=page.after_id, limit=page.limit + 1)
    shown, cursor = page.cut(rows, key=lambda row: [str(row.channel_id)])
    return Page(items=[_view(row) for row in shown], next_cursor=cursor)


@router.get("/channels/{channel_id}", operation_id="get-channel", response_model=ChannelView)
async def get_channel(channel_id: UUID, call: Reader) -> Response:
    """One channel; its ETag goes into `If-Match` of a change."""
    async with call.read() as session:
        return rendered(_answer(await store.one(session, call.tenant, channel_id)))


@router.patch("/channels/{channel_id}", operation_id="change-channel", response_model=ChannelView)
async def change_channel(channel_id: UUID, body: ChannelPatch, call: Admin) -> Response:
    """Name a channel anew, say other recipients of e-mail, disable or enable it."""

    async def work(uow: UnitOfWork) -> Answer:
        await store.lock(uow.session, call.tenant, channel_id)
        row = await store.one(uow.session, call.tenant, channel_id)
        if_match(call.request, row.version, required=False)
        wanted = changes(body)
        recipients = list(wanted.get("recipients", row.recipients))
        if (row.kind == "email") != bool(recipients):
            raise UnfitChannel("Recipients are for e-mail, which has at least one.", pointer="/recipients")
        disabled_at = row.disabled_at or uow.now if wanted.get("disabled", row.disabled_at is not None) else None
        given = {"name": wanted.get("name", row.name), "recipients": recipients, "disabled_at": disabled_at}
        given |= {"author": call.subject, "reason": body.reason}
        await store.change(uow, call.tenant, channel_id, given)
        return _answer(await store.one(uow.session, call.tenant, channel_id))

    return await call.write(work)


@router.delete("/channels/{channel_id}", operation_id="remove-channel", status_code=204)
async def remove_channel(channel_id: UUID, reason: Annotated[Reason, Query()], call: Admin) -> Response:
    """Remove a channel: its secrets are forgotten, and what waits to be sent by it is given up."""

    async def work(uow: UnitOfWork) -> Answer:
        await store.lock(uow.session, call.tenant, channel_id)
        await store.remove(uow, call.tenant, channel_id, author=call.subject, reason=reason)
        return Answer(status=204)

    return await call.write(work)


@router.post("/channels/{channel_id}/secrets", operation_id="add-channel-secret", status_code=201)
async def add_secret(channel_id: UUID, body: NewSecret, call: Admin) -> MadeSecret:
    """Add a secret, two live at most: a webhook is signed with both, of others the newest is used.

    One that we make is shown in this answer only, so it is kept nowhere: an `Idempotency-Key` changes nothing.
    """
    settings = _settings(call)
    async with call.read() as session:
        kind = (await store.one(session, call.tenant, channel_id)).kind
    is_address = KINDS[kind].needs == "address"
    if is_address and body.secret is not None:
        await _check(body.secret, settings, "/secret")
    made, secret = _secret(kind, body.secret if is_address else None, body.secret)
    if secret is None:
        raise UnfitChannel(f"A channel of kind {kind} needs its secret said, if it has any.", pointer="/secret")
    sealed = _sealed(settings, secret)

    async def work(uow: UnitOfWork) -> MadeSecret:
        await store.lock(uow.session, call.tenant, channel_id)
        id_ = await store.add_secret(uow, call.tenant, channel_id, sealed, author=call.subject)
        return MadeSecret(id=id_, secret=made)

    return await call.transact(work)


@router.delete("/channels/{channel_id}/secrets/{secret_id}", operation_id="remove-channel-secret", status_code=204)
async def remove_secret(channel_id: UUID, secret_id: UUID, call: Admin) -> Response:
    """Remove a secret: nothing is signed or opened with it from now on."""

    async def work(uow: UnitOfWork) -> Answer:
        await store.lock(uow.session, call.tenant, channel_id)
        await store.remove_secret(uow.session, call.tenant, channel_id, secret_id)
        return Answer(status=204)

    return await call.write(work)


def _settings(call: Call) -> Settings:
    settings = call.settings
    if not isinstance(settings, Settings):
        raise TypeError("scoring-svc runs with its own settings")
    return settings


async def _check(url: str, settings: Settings, pointer: str) -> None:
    """Refuse an address that may not be sent to; at each delivery it is judged anew."""
    wrong = flaw(url, http=settings.private_channels)
    if wrong is not None:
        raise UnfitChannel(wrong, pointer=pointer)
    try:
        await checked_address(*place(url), private=settings.private_channels)
    except ForbiddenAddress as error:
        raise AddressRefused(f"{error}.", pointer=pointer) from error


def _secret(kind: str, url: str | None, given: str | None) -> tuple[str | None, str | None]:
    """What we made and show once, and what to keep; raises UnfitChannel."""
    match KINDS[kind].needs:
        case "made" if given is None:
            made = f"whsec_{b64encode(secrets.token_bytes(32)).decode()}"
            return made, made
        case "made":
            if not _signs(given or ""):
                raise UnfitChannel("Standard Webhooks has secrets of base64, 24 to 64 bytes.", pointer="/secret")
            return None, given
        case "given" if given is None:
            raise UnfitChannel(f"Give {GIVEN_NAME[kind]}.", pointer="/secret")
        case "address":
            return None, url
        case _:
            return None, given


def _signs(secret: str) -> bool:
    try:
        return 24 <= len(b64decode(secret.removeprefix("whsec_"), validate=True)) <= 64
    except binascii.Error:
        return False


def _sealed(settings: Settings, secret: str) -> bytes:
    if settings.vault is None:
        raise NoSecretKey("This installation has no key to seal secrets with: set BELLWETHER_SCORING_SECRET_KEYS.")
    return settings.vault.encrypt(secret.encode())
