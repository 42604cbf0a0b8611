"""The routes by which a person's or an account's data are asked to be erased, and what became of it."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import Depends, Response
from pydantic import StringConstraints, model_validator

from bellwether_kit.db import UnitOfWork
from bellwether_kit.http import Answer, Call, Page, PageRequest, RequestModel, ResponseModel, requires
from bellwether_kit.http import router as routes
from bellwether_kit.ids import opaque_id
from metrics_svc.accounts.store import knows
from metrics_svc.erasure import store
from metrics_svc.errors import UnknownAccount, UnknownErasure
from metrics_svc.records.rules import AccountName, PersonName
from metrics_svc.references.store import find
from metrics_svc.trail.rules import Word

router = routes(tags=["erasures"])

Admin = Annotated[Call, Depends(requires("evidence:admin"))]


class NewErasure(RequestModel):
    """Whose data are to be erased, and why."""

    person: PersonName | None = None
    account: AccountName | None = None
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]

    @model_validator(mode="after")
    def _of_one(self) -> Self:
        if (self.person is None) == (self.account is None):
            raise ValueError("give either a person or an account")
        return self


class ErasureView(ResponseModel):
    """An erasure: who asked for it, and how much it has taken somebody out of. The id is a hash of the name given.

    `activities` are those that lost something, `evidence` the standing pieces that lost a person and nothing else,
    `records` the survey answers, reported figures and KPIs that lost something.
    """

    id: UUID
    subject: Literal["person", "account"]
    account_id: UUID | None
    state: Literal["requested", "running", "done"]
    author: str
    reason: str
    requested_at: datetime
    finished_at: datetime | None
    activities: int
    evidence: int
    records: int


@router.post("/erasures", operation_id="request-erasure", response_model=ErasureView, status_code=202)
async def request_erasure(body: NewErasure, call: Admin) -> Response:
    """Erase a person for ever, or all that is held about an account until now. Asking again gives the same answer.

    A person nobody knows is taken note of: whatever names them from now on comes in without them.
    """

    async def work(uow: UnitOfWork) -> Answer:
        word = Word(call.subject, body.reason)
        if body.person is not None:
            id_ = await store.erase_person(uow, call.tenant, _person(call.tenant, body.person), word)
        else:
            assert body.account is not None
            id_ = await store.erase_account(uow, call.tenant, await _account(uow, call.tenant, body.account), word)
        return Answer(ErasureView.model_validate(await store.one(uow.session, call.tenant, id_)), status=202)

    return await call.write(work)


@router.get("/erasures", operation_id="list-erasures")
async def list_erasures(call: Admin, page: PageRequest) -> Page[ErasureView]:
    """All erasures, the latest asked for first."""
    async with call.read() as session:
        rows = await store.listed(session, call.tenant, after=page.after, limit=page.limit + 1)
    shown, cursor = page.cut(rows, key=lambda row: [row.requested_at.isoformat(), str(row.id)])
    return Page(items=[ErasureView.model_validate(row) for row in shown], next_cursor=cursor)


@router.get("/erasures/{erasure_id}", operation_id="get-erasure")
async def get_erasure(erasure_id: UUID, call: Admin) -> ErasureView:
    """One erasure."""
    async with call.read() as session:
        row = await store.one(session, call.tenant, erasure_id)
    if row is None:
        raise UnknownErasure("There is no erasure of this id.")
    return ErasureView.model_validate(row)


def _person(tenant: str, name: PersonName) -> UUID:
    return name.id or opaque_id(tenant, "contact", *name.parts())


async def _account(uow: UnitOfWork, tenant: str, name: AccountName) -> UUID:
    account_id = name.id or (await find(uow.session, tenant, {name.reference()})).get(name.reference())
    if account_id is None or not await knows(uow.session, tenant, account_id):
        raise UnknownAccount("There is no account of this name.", pointer="/account")
    return account_id
