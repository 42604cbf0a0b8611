"""Actions over HTTP: those of a plan and the steps of a play, who does what by when."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Response
from pydantic import Field, model_validator

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
from bellwether_kit.http import router as make_router
from bellwether_kit.ids import opaque_id, uuid7
from plan_svc.actions import store
from plan_svc.actions.rules import ActionStatus, cycle_through, is_overdue
from plan_svc.actions.tables import Action
from plan_svc.errors import (
    DependencyCycle,
    PlanClosed,
    PlayClosed,
    UnknownAction,
    UnknownDependency,
    UnknownPlan,
)
from plan_svc.plans import store as plans
from plan_svc.plans.rules import PlanStatus
from plan_svc.plans.tables import Plan
from plan_svc.plays import store as plays
from plan_svc.plays.rules import PlayStatus
from plan_svc.plays.tables import Play

router = make_router(tags=["actions"])

Title = Annotated[str, Field(min_length=1, max_length=200, examples=["Call the head of purchasing"])]
Prose = Annotated[str, Field(max_length=2_000)]
Day = Annotated[date, Field(ge=date(2000, 1, 1), le=date(2199, 12, 31), examples=["2026-04-15"])]
Reader = Annotated[Call, Depends(requires("plans:read"))]
Writer = Annotated[Call, Depends(requires("plans:write"))]


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


People = Annotated[list[Person], Field(max_length=20)]
Doers = Annotated[list[Person], Field(min_length=1, max_length=20)]
Dependencies = Annotated[list[UUID], Field(max_length=50)]
SOMEBODY = Person(email="somebody@example.com")


class NewAction(RequestModel):
    """An action to plan: exactly one person answers for it, at least one does it."""

    title: Title
    why: Prose = ""
    due_on: Day
    accountable: Person
    responsible: Doers
    consulted: People = Field(default_factory=list)
    informed: People = Field(default_factory=list)
    depends_on: Dependencies = Field(default_factory=list)
    success_measure: Prose = ""


class ActionPatch(RequestModel):
    """What shall change; a field that isn't there stays."""

    title: Title = ""
    why: Prose = ""
    due_on: Day = date.min
    accountable: Person = SOMEBODY
    responsible: Doers = Field(default_factory=list)
    consulted: People = Field(default_factory=list)
    informed: People = Field(default_factory=list)
    depends_on: Dependencies = Field(default_factory=list)
    success_measure: Prose = ""
    status: ActionStatus = ActionStatus.OPEN


class ActionView(ResponseModel):
    """An action; it belongs to a plan or to a play. People are opaque ids."""

    id: UUID
    account_id: UUID
    plan_id: UUID | None
    play_id: UUID | None
    position: int
    title: str
    why: str
    due_on: date
    overdue: bool
    accountable_id: UUID
    responsible_ids: list[UUID]
    consulted_ids: list[UUID]
    informed_ids: list[UUID]
    depends_on: list[UUID]
    success_measure: str
    status: str
    version: int
    created_at: datetime
    updated_at: datetime


@router.post("/plans/{plan_id}/actions", status_code=201, response_model=ActionView, operation_id="create-action")
async def create_action(plan_id: UUID, body: NewAction, call: Writer) -> Response:
    """Add an action to a plan."""

    async def work(uow: UnitOfWork) -> Answer:
        plan = await plans.lock(uow.session, call.tenant, plan_id)
        if plan is None:
            raise UnknownPlan(f"There is no plan {plan_id}.")
        _refuse_closed(plan)
        others = (await store.of_plans(uow.session, [(call.tenant, plan_id)]))[call.tenant, plan_id]
        action = Action(
            tenant=call.tenant,
            action_id=uuid7(),
            account_id=plan.account_id,
            plan_id=plan_id,
            position=max((other.position for other in others), default=0) + 1,
            status=ActionStatus.OPEN,
            created_at=uow.now,
            updated_at=uow.now,
            **_columns(dict(body), call.tenant),
        )
        _refuse_dependencies(action, others)
        uow.session.add(action)
        await plans.measure(uow, [plan])
        headers = {"ETag": etag(action.version), "Location": f"/v1/actions/{action.action_id}"}
        return Answer(_view(action, uow.now), status=201, headers=headers)

    return await call.write(work)


@router.get("/plans/{plan_id}/actions", operation_id="list-actions")
async def list_actions(plan_id: UUID, page: PageRequest, call: Reader) -> Page[ActionView]:
    """A plan's actions, in the order in which they were added."""
    after = (int(page.after[0]), UUID(page.after[1])) if page.after else None
    async with call.read() as session:
        if await plans.find(session, call.tenant, plan_id) is None:
            raise UnknownPlan(f"There is no plan {plan_id}.")
        found = await store.page_of_plan(session, call.tenant, plan_id, after=after, limit=page.limit + 1)
    actions, cursor = page.cut(found, key=lambda action: [action.position, str(action.action_id)])
    return Page(items=[_view(action, call.now) for action in actions], next_cursor=cursor)


@router.get("/actions/{action_id}", operation_id="get-action", response_model=ActionView)
async def get_action(action_id: UUID, call: Reader, response: Response) -> ActionView:
    """One action, of a plan or of a play."""
    async with call.read() as session:
        action = await store.find(session, call.tenant, action_id)
    if action is None:
        raise UnknownAction(f"There is no action {action_id}.")
    response.headers["ETag"] = etag(action.version)
    return _view(action, call.now)


@router.patch("/actions/{action_id}", response_model=ActionView, operation_id="change-action")
async def change_action(action_id: UUID, body: ActionPatch, call: Writer) -> Response:
    """Change an action (JSON merge patch). A new due date can become overdue anew."""

    async def work(uow: UnitOfWork) -> Answer:
        action = await store.find(uow.session, call.tenant, action_id)
        if action is None:
            raise UnknownAction(f"There is no action {action_id}.")
        home = await _lock_home(uow, action)
        await store.reload(uow.session, action)
        if_match(call.request, action.version)
        _refuse_closed(home)
        wanted = _columns(changes(body), call.tenant)
        changed = {name: value for name, value in wanted.items() if getattr(action, name) != value}
        for name, value in changed.items():
            setattr(action, name, value)
        if changed:
            action.version, action.updated_at = action.version + 1, uow.now
        _refuse_dependencies(action, await _siblings(uow, home))
        if isinstance(home, Plan):
            await plans.measure(uow, [home])
        else:
            plays.reschedule(home, await _siblings(uow, home))
        return Answer(_view(action, uow.now), headers={"ETag": etag(action.version)})

    return await call.write(work)


async def _lock_home(uow: UnitOfWork, action: Action) -> Plan | Play:
    home: Plan | Play | None = None
    if action.plan_id is not None:
        home = await plans.lock(uow.session, action.tenant, action.plan_id)
    elif action.play_id is not None:
        home = await plays.lock(uow.session, action.tenant, action.play_id)
    assert home is not None
    return home


async def _siblings(uow: UnitOfWork, home: Plan | Play) -> Sequence[Action]:
    """All actions of the home, with what this unit changed in them."""
    if isinstance(home, Plan):
        return (await store.of_plans(uow.session, [(home.tenant, home.plan_id)]))[home.tenant, home.plan_id]
    return (await store.of_plays(uow.session, [(home.tenant, home.play_id)]))[home.tenant, home.play_id]


def _refuse_closed(home: Plan | Play) -> None:
    if isinstance(home, Plan) and home.status == PlanStatus.CLOSED:
        raise PlanClosed(f"The plan {home.plan_id} is closed.")
    if isinstance(home, Play) and home.status == PlayStatus.CLOSED:
        raise PlayClosed(f"The play {home.play_id} is closed.")


def _refuse_dependencies(action: Action, others: Sequence[Action]) -> None:
    waits_for = {other.action_id: other.depends_on for other in others} | {action.action_id: action.depends_on}
    for n, needed in enumerate(action.depends_on):
        if needed not in waits_for:
            raise UnknownDependency(f"There is no action {needed} beside it.", pointer=f"/depends_on/{n}")
    circle = cycle_through(action.action_id, waits_for)
    if circle:
        names = [str(member) for member in circle]
        raise DependencyCycle("These actions would wait for each other.", pointer="/depends_on", circle=names)


def _columns(fields: dict[str, Any], tenant: str) -> dict[str, Any]:
    """The fields of a request as columns: people become opaque ids, each of them once."""
    found = dict(fields)
    if "accountable" in found:
        found["accountable_id"] = found.pop("accountable").known_as(tenant)
    for name in ("responsible", "consulted", "informed"):
        if name in found:
            found[f"{name}_ids"] = list(dict.fromkeys(person.known_as(tenant) for person in found.pop(name)))
    if "depends_on" in found:
        found["depends_on"] = list(dict.fromkeys(found["depends_on"]))
    return found


def _view(action: Action, now: datetime) -> ActionView:
    fields = action.model_dump(include=set(ActionView.model_fields))
    return ActionView(**fields, id=action.action_id, overdue=is_overdue(store.step(action), now))
