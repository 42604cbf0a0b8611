"""The route that appoints an account's team; reading it is in ``directory``."""

from dataclasses import replace
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response
from pydantic import Field, StringConstraints

from bellwether_kit.db import UnitOfWork
from bellwether_kit.http import IF_MATCH, Answer, Call, ItemResult, RequestModel, etag, if_match, requires
from bellwether_kit.http import router as routes
from profile_svc.accounts import store as accounts
from profile_svc.errors import UnknownAccount
from profile_svc.team import store
from profile_svc.team.rules import Member, Role

router = routes(tags=["team"])

Writer = Annotated[Call, Depends(requires("accounts:write"))]
Email = Annotated[str, StringConstraints(to_lower=True, max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")]


class Appointment(RequestModel):
    """One of our own users in one role."""

    role: Role
    email: Email


class Team(RequestModel):
    """The whole team of an account. A person may hold several roles."""

    members: Annotated[list[Appointment], Field(max_length=100)]


@router.put(
    "/accounts/{account_id}/team",
    response_model=ItemResult,
    operation_id="appoint-team",
    openapi_extra=IF_MATCH,
)
async def appoint_team(account_id: UUID, body: Team, call: Writer) -> Response:
    """Make these the whole team of the account; needs `If-Match`."""
    members = frozenset(Member(member.role, member.email) for member in body.members)

    async def work(uow: UnitOfWork) -> Answer:
        await accounts.one_writer(uow.session, call.tenant)
        account = await accounts.find(uow.session, call.tenant, account_id)
        if account is None:
            raise UnknownAccount("There is no account of this id.")
        if_match(call.request, account.version)
        result = "unchanged"
        if members != (await store.teams(uow.session, call.tenant, [account_id]))[account_id]:
            result = "updated"
            account = replace(account, version=account.version + 1, updated_at=uow.now)
            await store.appoint(uow.session, call.tenant, account_id, members)
            await accounts.save(uow, call.tenant, [account])
        return Answer(ItemResult(status=result, id=account_id), headers={"ETag": etag(account.version)})

    return await call.write(work)
