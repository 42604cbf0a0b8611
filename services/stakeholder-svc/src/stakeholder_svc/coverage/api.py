"""Coverage over HTTP: that of an account, and the roles that a tenant requires."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response
from pydantic import Field

from bellwether_kit.db import UnitOfWork
from bellwether_kit.http import Answer, Call, RequestModel, ResponseModel, etag, if_match, requires
from bellwether_kit.http import router as routes
from stakeholder_svc.accounts import store as accounts
from stakeholder_svc.coverage import store
from stakeholder_svc.coverage.tables import PolicyRow
from stakeholder_svc.errors import UnknownAccount
from stakeholder_svc.people import store as people
from stakeholder_svc.people.rules import Role

router = routes(tags=["coverage"])

Reader = Annotated[Call, Depends(requires("stakeholders:read"))]
Admin = Annotated[Call, Depends(requires("stakeholders:admin"))]


class CoverageView(ResponseModel):
    """How well the required roles are covered, 0 to 100; null while we have never known anybody there.

    `thread_share`, 0 to 100, is how much of the influence in our reach only one of ours is in touch with.
    """

    account_id: UUID
    coverage: float | None
    required_roles: list[str]
    missing_roles: list[str]
    people: int
    thread_share: float | None
    assessed_at: datetime | None


class PolicyPut(RequestModel):
    """The roles that must be covered at every account, and why these."""

    required_roles: Annotated[tuple[Role, ...], Field(min_length=1, max_length=6)]
    reason: Annotated[str, Field(min_length=1, max_length=500)]


class PolicyView(ResponseModel):
    """The required roles. `version` 0: nothing was chosen, these are the defaults."""

    required_roles: list[str]
    reason: str | None = None
    changed_by: str | None = None
    changed_at: datetime | None = None
    version: int = 0


@router.get("/accounts/{account_id}/coverage", operation_id="get-coverage")
async def get_coverage(account_id: UUID, call: Reader) -> CoverageView:
    """The coverage of an account, as last said."""
    async with call.read() as session:
        if await accounts.find(session, call.tenant, account_id) is None:
            raise UnknownAccount("There is no account of this id.")
        row = await store.find(session, call.tenant, account_id)
        required = (await store.required_roles(session, [call.tenant]))[call.tenant]
    return CoverageView(
        account_id=account_id,
        coverage=row.coverage if row else None,
        required_roles=required,
        missing_roles=row.missing_roles if row else sorted(required),
        people=row.people if row else 0,
        thread_share=row.thread_share if row else None,
        assessed_at=row.assessed_at if row else None,
    )


@router.get("/coverage-policy", operation_id="get-coverage-policy", response_model=PolicyView)
async def get_policy(call: Reader, response: Response) -> PolicyView:
    """The roles that the tenant requires."""
    async with call.read() as session:
        chosen = await store.policy(session, call.tenant)
        required = await store.required_roles(session, [call.tenant])
    view = PolicyView.model_validate(chosen) if chosen else PolicyView(required_roles=required[call.tenant])
    response.headers["ETag"] = etag(view.version)
    return view


@router.put("/coverage-policy", operation_id="set-coverage-policy", response_model=PolicyView)
async def set_policy(body: PolicyPut, call: Admin) -> Response:
    """Choose the roles that must be covered. Every account is assessed anew by the worker, soon after."""

    async def work(uow: UnitOfWork) -> Answer:
        await people.one_writer(uow.session, [call.tenant])
        chosen = await store.policy(uow.session, call.tenant)
        version = chosen.version if chosen else 0
        if_match(call.request, version, required=False)
        row = PolicyRow(
            tenant=call.tenant,
            required_roles=sorted({str(role) for role in body.required_roles}),
            reason=body.reason,
            changed_by=call.subject,
            changed_at=uow.now,
            version=version + 1,
        )
        await uow.session.merge(row)
        await store.make_all_due(uow.session, call.tenant, uow.now)
        return Answer(PolicyView.model_validate(row), headers={"ETag": etag(row.version)})

    return await call.write(work)
