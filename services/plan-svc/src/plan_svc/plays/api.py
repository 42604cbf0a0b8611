"""Plays over HTTP: listed, read, opened by hand, taken and closed."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Response
from pydantic import Field, model_validator

from bellwether_kit.db import UnitOfWork
from bellwether_kit.http import (
    Answer,
    Call,
    Page,
    PageRequest,
    QueryModel,
    RequestModel,
    ResponseModel,
    etag,
    if_match,
    requires,
)
from bellwether_kit.http import router as make_router
from bellwether_kit.ids import opaque_id, uuid7
from plan_svc.accounts import store as accounts
from plan_svc.actions import store as actions
from plan_svc.actions.rules import ActionStatus
from plan_svc.actions.tables import Action
from plan_svc.errors import PlayAlreadyOpen, PlayClosed, UnknownAccount, UnknownPlay, UnknownTemplate
from plan_svc.owners import store as owners
from plan_svc.owners.rules import answerable
from plan_svc.plays import store
from plan_svc.plays.rules import CloseReason, PlayStatus
from plan_svc.plays.tables import Play
from plan_svc.templates.rules import TEMPLATES, template_of

router = make_router(tags=["plays"])

Prose = Annotated[str, Field(max_length=2_000)]
Reason = Annotated[str, Field(min_length=1, max_length=500)]
Reader = Annotated[Call, Depends(requires("plans:read"))]
Writer = Annotated[Call, Depends(requires("plans:write"))]
KEPT = "Its alert is resolved; it stays open because somebody works on it."


class Person(RequestModel):
    """One of ours by `email`, or anybody by opaque `id`: exactly one of the two."""

    email: Annotated[str | None, Field(max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")] = None
    id: UUID | None = None

    @model_validator(mode="after")
    def _one_name(self) -> "Person":
        if (self.email is None) == (self.id is None):
            raise ValueError("name a person by email or by id, one of the two")
        return self

    def known_as(self, tenant: str) -> UUID:
        """The opaque id by which everybody knows this person; the e-mail itself is not kept."""
        return self.id or opaque_id(tenant, "user", (self.email or "").lower())


class NewPlay(RequestModel):
    """A play to open by hand. Without `accountable` the account's owner answers for it."""

    account_id: UUID
    play: Annotated[str, Field(min_length=1, max_length=64, examples=["recover-relationship"])]
    why: Prose = ""
    accountable: Person | None = None


class Take(RequestModel):
    """Who takes the play; without `person` it is the caller."""

    person: Person | None = None


class Close(RequestModel):
    """Why the play is over."""

    note: Reason


class StepView(ResponseModel):
    """One step of a play; change it at `/v1/actions/{id}`."""

    id: UUID
    position: int
    title: str
    why: str
    due_on: date
    accountable_id: UUID
    success_measure: str
    status: str
    version: int


class PlayView(ResponseModel):
    """A play. `note` says why it is still open when its alert is not."""

    id: UUID
    account_id: UUID
    account_name: str | None
    play: str
    title: str
    status: str
    why: str
    alert_id: UUID | None
    accountable_id: UUID
    taken_by: UUID | None
    taken_at: datetime | None
    opened_at: datetime
    closed_at: datetime | None
    close_reason: str | None
    close_note: str | None
    alert_resolved_at: datetime | None
    note: str | None
    version: int


class PlayDetail(PlayView):
    """A play with its steps."""

    steps: list[StepView]


class Filters(QueryModel):
    """Which plays."""

    account_id: UUID | None = None
    status: PlayStatus | None = None


@router.get("/plays", operation_id="list-plays")
async def list_plays(filters: Annotated[Filters, Query()], page: PageRequest, call: Reader) -> Page[PlayView]:
    """Plays, the newest first."""
    after = (datetime.fromisoformat(page.after[0]), UUID(page.after[1])) if page.after else None
    async with call.read() as session:
        found = await store.page(
            session,
            call.tenant,
            account_id=filters.account_id,
            status=filters.status,
            after=after,
            limit=page.limit + 1,
        )
        plays, cursor = page.cut(found, key=lambda play: [play.opened_at.isoformat(), str(play.play_id)])
        names = await accounts.names(session, call.tenant, [play.account_id for play in plays])
    return Page(items=[_view(play, names.get(play.account_id)) for play in plays], next_cursor=cursor)


@router.get("/plays/{play_id}", operation_id="get-play", response_model=PlayDetail)
async def get_play(play_id: UUID, call: Reader, response: Response) -> PlayDetail:
    """One play with its steps."""
    async with call.read() as session:
        play = await store.find(session, call.tenant, play_id)
        if play is None:
            raise UnknownPlay(f"There is no play {play_id}.")
        steps = (await actions.of_plays(session, [(call.tenant, play_id)]))[call.tenant, play_id]
        names = await accounts.names(session, call.tenant, [play.account_id])
    response.headers["ETag"] = etag(play.version)
    return _detail(play, names.get(play.account_id), steps)


@router.post("/plays", status_code=201, response_model=PlayDetail, operation_id="open-play")
async def open_play(body: NewPlay, call: Writer) -> Response:
    """Open a play by hand. It stays open until somebody closes it, whatever alerts do."""

    async def work(uow: UnitOfWork) -> Answer:
        account = await accounts.find(uow.session, call.tenant, body.account_id)
        if account is None:
            raise UnknownAccount(f"There is no account {body.account_id}.", pointer="/account_id")
        if template_of(body.play) is None:
            known = ", ".join(template.code for template in TEMPLATES)
            raise UnknownTemplate(f"No play is called {body.play!r}; there are {known}.", pointer="/play")
        fallback = (await owners.fallback_owners(uow.session, [call.tenant]))[call.tenant]
        named = body.accountable.known_as(call.tenant) if body.accountable else None
        play = Play(
            tenant=call.tenant,
            play_id=uuid7(),
            account_id=body.account_id,
            play=body.play,
            why=body.why,
            status=PlayStatus.OPEN,
            accountable_id=answerable(named, account.owner_id, fallback),
            opened_at=uow.now,
        )
        if not await store.add(uow.session, [play]):
            raise PlayAlreadyOpen(f"The account has an open play {body.play!r} already.", pointer="/play")
        uow.emit(store.opened(play))
        steps = (await actions.of_plays(uow.session, [(call.tenant, play.play_id)]))[call.tenant, play.play_id]
        headers = {"ETag": etag(play.version), "Location": f"/v1/plays/{play.play_id}"}
        return Answer(_detail(play, account.name, steps), status=201, headers=headers)

    return await call.write(work)


@router.post("/plays/{play_id}/take", response_model=PlayDetail, operation_id="take-play")
async def take_play(play_id: UUID, call: Writer, body: Take | None = None) -> Response:
    """Take a play, also from somebody else: who takes it answers for it and for its steps that are not done."""
    person = body.person if body else None

    async def work(uow: UnitOfWork) -> Answer:
        play = await _lock_open(uow, call, play_id)
        taker = person.known_as(call.tenant) if person else opaque_id(call.tenant, "user", call.subject.lower())
        before, play.accountable_id = play.accountable_id, taker
        play.taken_by, play.taken_at, play.version = taker, uow.now, play.version + 1
        steps = (await actions.of_plays(uow.session, [(call.tenant, play_id)]))[call.tenant, play_id]
        for step in steps:
            if step.status != ActionStatus.DONE and step.accountable_id == before:
                step.accountable_id, step.version, step.updated_at = taker, step.version + 1, uow.now
                step.responsible_ids = [taker if doer == before else doer for doer in step.responsible_ids]
        return await _answer(uow, play, steps)

    return await call.write(work)


@router.post("/plays/{play_id}/close", response_model=PlayDetail, operation_id="close-play")
async def close_play(play_id: UUID, body: Close, call: Writer) -> Response:
    """Close a play by hand, with a word on why."""

    async def work(uow: UnitOfWork) -> Answer:
        play = await _lock_open(uow, call, play_id)
        store.close(uow, play, CloseReason.BY_HAND, body.note)
        steps = (await actions.of_plays(uow.session, [(call.tenant, play_id)]))[call.tenant, play_id]
        return await _answer(uow, play, steps)

    return await call.write(work)


async def _lock_open(uow: UnitOfWork, call: Call, play_id: UUID) -> Play:
    play = await store.lock(uow.session, call.tenant, play_id)
    if play is None:
        raise UnknownPlay(f"There is no play {play_id}.")
    if_match(call.request, play.version, required=False)
    if play.status == PlayStatus.CLOSED:
        raise PlayClosed(f"The play {play_id} is closed.")
    return play


async def _answer(uow: UnitOfWork, play: Play, steps: Sequence[Action]) -> Answer:
    names = await accounts.names(uow.session, play.tenant, [play.account_id])
    return Answer(_detail(play, names.get(play.account_id), steps), headers={"ETag": etag(play.version)})


def _fields(play: Play, account_name: str | None) -> dict[str, object]:
    template = template_of(play.play)
    kept = play.status == PlayStatus.OPEN and play.alert_resolved_at is not None
    return play.model_dump(include=set(PlayView.model_fields)) | {
        "id": play.play_id,
        "account_name": account_name,
        "title": template.title if template else play.play,
        "note": KEPT if kept else None,
    }


def _view(play: Play, account_name: str | None) -> PlayView:
    return PlayView.model_validate(_fields(play, account_name))


def _detail(play: Play, account_name: str | None, steps: Sequence[Action]) -> PlayDetail:
    views = [
        StepView.model_validate(step.model_dump(include=set(StepView.model_fields)) | {"id": step.action_id})
        for step in steps
    ]
    return PlayDetail.model_validate(_fields(play, account_name) | {"steps": views})
