"""Plans over HTTP: made, listed, read and changed. Their actions are another feature's."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Response
from pydantic import Field, model_validator

from bellwether_kit.db import UnitOfWork
from bellwether_kit.http import (
    Answer,
    Call,
    Money,
    Page,
    PageRequest,
    QueryModel,
    RequestModel,
    ResponseModel,
    changes,
    etag,
    if_match,
    requires,
)
from bellwether_kit.http import router as make_router
from bellwether_kit.ids import uuid7
from plan_svc.accounts import store as accounts
from plan_svc.errors import PlanClosed, PlanStatusNotReachable, UnknownAccount, UnknownPlan
from plan_svc.plans import store
from plan_svc.plans.rules import MAX_YEARS, MIN_YEARS, PlanStatus, ends_on, reachable
from plan_svc.plans.tables import Plan

router = make_router(tags=["plans"])

Title = Annotated[str, Field(min_length=1, max_length=200, examples=["Two years with Acme"])]
Day = Annotated[date, Field(ge=date(2000, 1, 1), le=date(2190, 12, 31), examples=["2026-04-01"])]
Years = Annotated[int, Field(ge=MIN_YEARS, le=MAX_YEARS)]
Goal = Annotated[str, Field(min_length=1, max_length=500, examples=["Be their first call for cold storage"])]
Goals = Annotated[list[Goal], Field(max_length=20)]
Reader = Annotated[Call, Depends(requires("plans:read"))]
Writer = Annotated[Call, Depends(requires("plans:write"))]


class RevenueGoal(RequestModel):
    """What the plan shall bring: `mining` from what they buy already, `farming` from what is new to them."""

    mining: Money | None = None
    farming: Money | None = None

    @model_validator(mode="after")
    def _one_currency(self) -> "RevenueGoal":
        parts = [part for part in (self.mining, self.farming) if part is not None]
        if len({part.currency for part in parts}) > 1:
            raise ValueError("mining and farming are in one currency")
        if any(part.amount < 0 for part in parts):
            raise ValueError("a goal is not negative")
        return self


class NewPlan(RequestModel):
    """A plan to make."""

    account_id: UUID
    title: Title
    starts_on: Day
    years: Years
    goals: Goals = Field(default_factory=list)
    status: PlanStatus = PlanStatus.DRAFT
    revenue_goal: RevenueGoal | None = None


class PlanPatch(RequestModel):
    """What shall change; a field that isn't there stays."""

    title: Title = ""
    starts_on: Day = date.min
    years: Years = MIN_YEARS
    goals: Goals = Field(default_factory=list)
    status: PlanStatus = PlanStatus.DRAFT
    revenue_goal: RevenueGoal | None = None


class PlanView(ResponseModel):
    """A plan. `progress` is 100 · done / total of its actions; `ends_on` is the first day after it."""

    id: UUID
    account_id: UUID
    account_name: str | None
    title: str
    starts_on: date
    ends_on: date
    years: int
    goals: list[str]
    status: str
    revenue_goal: RevenueGoal | None
    progress: float
    actions_total: int
    actions_done: int
    actions_overdue: int
    version: int
    created_at: datetime
    updated_at: datetime


class Filters(QueryModel):
    """Which plans."""

    account_id: UUID | None = None
    status: PlanStatus | None = None


@router.post("/plans", status_code=201, response_model=PlanView, operation_id="create-plan")
async def create_plan(body: NewPlan, call: Writer) -> Response:
    """Make a plan for an account."""

    async def work(uow: UnitOfWork) -> Answer:
        account = await accounts.find(uow.session, call.tenant, body.account_id)
        if account is None:
            raise UnknownAccount(f"There is no account {body.account_id}.", pointer="/account_id")
        fields = body.model_dump(exclude={"revenue_goal"}) | _money(body.revenue_goal)
        plan = Plan(tenant=call.tenant, plan_id=uuid7(), **fields, created_at=uow.now, updated_at=uow.now)
        uow.session.add(plan)
        await store.measure(uow, [plan])
        headers = {"ETag": etag(plan.version), "Location": f"/v1/plans/{plan.plan_id}"}
        return Answer(_view(plan, account.name), status=201, headers=headers)

    return await call.write(work)


@router.get("/plans", operation_id="list-plans")
async def list_plans(filters: Annotated[Filters, Query()], page: PageRequest, call: Reader) -> Page[PlanView]:
    """Plans, the newest first."""
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
        plans, cursor = page.cut(found, key=lambda plan: [plan.created_at.isoformat(), str(plan.plan_id)])
        names = await accounts.names(session, call.tenant, [plan.account_id for plan in plans])
    return Page(items=[_view(plan, names.get(plan.account_id)) for plan in plans], next_cursor=cursor)


@router.get("/plans/{plan_id}", operation_id="get-plan", response_model=PlanView)
async def get_plan(plan_id: UUID, call: Reader, response: Response) -> PlanView:
    """One plan."""
    async with call.read() as session:
        plan = await store.find(session, call.tenant, plan_id)
        if plan is None:
            raise UnknownPlan(f"There is no plan {plan_id}.")
        names = await accounts.names(session, call.tenant, [plan.account_id])
    response.headers["ETag"] = etag(plan.version)
    return _view(plan, names.get(plan.account_id))


@router.patch("/plans/{plan_id}", response_model=PlanView, operation_id="change-plan")
async def change_plan(plan_id: UUID, body: PlanPatch, call: Writer) -> Response:
    """Change a plan (JSON merge patch). Its status goes from draft to active to closed, never back."""

    async def work(uow: UnitOfWork) -> Answer:
        plan = await store.lock(uow.session, call.tenant, plan_id)
        if plan is None:
            raise UnknownPlan(f"There is no plan {plan_id}.")
        if_match(call.request, plan.version)
        wanted = changes(body)
        status_changed = _refuse_unreachable(plan, wanted)
        if "revenue_goal" in wanted:
            wanted |= _money(wanted.pop("revenue_goal"))
        changed = {name: value for name, value in wanted.items() if getattr(plan, name) != value}
        for name, value in changed.items():
            setattr(plan, name, value)
        if changed:
            plan.version, plan.updated_at = plan.version + 1, uow.now
        await store.measure(uow, [plan], status_changed=status_changed)
        names = await accounts.names(uow.session, call.tenant, [plan.account_id])
        return Answer(_view(plan, names.get(plan.account_id)), headers={"ETag": etag(plan.version)})

    return await call.write(work)


def _refuse_unreachable(plan: Plan, wanted: dict[str, Any]) -> bool:
    """Raise for a change that a plan's status forbids; says whether the status changes."""
    now, then = PlanStatus(plan.status), wanted.get("status", PlanStatus(plan.status))
    if now is PlanStatus.CLOSED:
        raise PlanClosed(f"The plan {plan.plan_id} is closed.")
    if not reachable(now, then):
        raise PlanStatusNotReachable(f"A plan that is {now} can't become {then}.", pointer="/status")
    return now is not then


def _money(goal: RevenueGoal | None) -> dict[str, Decimal | str | None]:
    mining, farming = (goal.mining, goal.farming) if goal else (None, None)
    either = mining or farming
    return {
        "revenue_mining": mining.amount if mining else None,
        "revenue_farming": farming.amount if farming else None,
        "revenue_currency": either.currency if either else None,
    }


def _goal(plan: Plan) -> RevenueGoal | None:
    if plan.revenue_currency is None:
        return None

    def part(amount: Decimal | None) -> Money | None:
        return None if amount is None else Money(amount=amount, currency=plan.revenue_currency or "")

    return RevenueGoal(mining=part(plan.revenue_mining), farming=part(plan.revenue_farming))


def _view(plan: Plan, account_name: str | None) -> PlanView:
    return PlanView(
        **plan.model_dump(include=set(PlanView.model_fields)),
        id=plan.plan_id,
        account_name=account_name,
        ends_on=ends_on(plan.starts_on, plan.years),
        revenue_goal=_goal(plan),
    )
