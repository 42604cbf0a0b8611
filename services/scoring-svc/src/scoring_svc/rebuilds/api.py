"""The routes that throw away what was derived of a tenant's evidence and derive it anew."""

from typing import Annotated

from fastapi import Depends, Response

from bellwether_kit.db import UnitOfWork
from bellwether_kit.http import Answer, Call, ResponseModel, requires
from bellwether_kit.http import router as routes
from scoring_svc.rebuilds import store

router = routes(tags=["health"])

Admin = Annotated[Call, Depends(requires("health:admin"))]


class Rebuild(ResponseModel):
    """How far a rebuild is: accounts there are, and those that still wait. None waits: it is done."""

    accounts: int
    waiting: int


@router.post("/health/rebuild", response_model=Rebuild, status_code=202, operation_id="rebuild-health")
async def rebuild(call: Admin) -> Response:
    """Sum every account's balances and memory anew from the ledger, page by page, while all else goes on.

    The worker's evaluation does it; asked again, it begins anew. Only what health was said to be before is kept.
    """

    async def work(uow: UnitOfWork) -> Answer:
        await store.request(uow.session, call.tenant, uow.now)
        waiting, accounts = await store.left(uow.session, call.tenant)
        return Answer(Rebuild(accounts=accounts, waiting=waiting), status=202)

    return await call.write(work)


@router.get("/health/rebuild", response_model=Rebuild, operation_id="get-health-rebuild")
async def get_rebuild(call: Admin) -> Rebuild:
    """How many accounts still wait to be derived anew."""
    async with call.read() as session:
        waiting, accounts = await store.left(session, call.tenant)
    return Rebuild(accounts=accounts, waiting=waiting)
