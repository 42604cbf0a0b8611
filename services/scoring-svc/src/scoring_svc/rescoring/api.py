"""The routes that show runs, stop one, and have everything summed anew."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Depends, Response

from bellwether_kit.db import UnitOfWork
from bellwether_kit.http import Answer, Call, Page, PageRequest, ResponseModel, requires
from bellwether_kit.http import router as routes
from scoring_svc.errors import RunEnded
from scoring_svc.rescoring import store

router = routes(tags=["rescoring"])

Reader = Annotated[Call, Depends(requires("health:read", "health:admin"))]
Admin = Annotated[Call, Depends(requires("health:admin"))]


class RunView(ResponseModel):
    """A walk through all accounts: `looked_at` of `accounts` so far, of which `rescored` were scored anew.

    An `audit` sums every account's balances anew once a day and compares them with those kept in steps: `drift` is
    the widest difference (relative; absolute below 1), `drifted` the number of accounts beyond 1e-9, which it mends.
    """

    id: UUID
    cause: Literal["publish", "retire", "rebuild", "audit"]
    state: Literal["running", "stopped", "superseded", "done"]
    scorecard_id: UUID | None
    accounts: int
    looked_at: int
    rescored: int
    drift: float
    drifted: int
    started_by: str
    reason: str | None
    started_at: datetime
    ended_by: str | None
    ended_at: datetime | None


@router.get("/rescoring-runs", operation_id="list-rescoring-runs")
async def list_runs(call: Reader, page: PageRequest) -> Page[RunView]:
    """Runs, newest first; the audit that is to come is among them."""
    async with call.read() as session:
        before = page.after_id if page.after else None
        rows = await store.listed(session, call.tenant, before=before, limit=page.limit + 1)
    shown, cursor = page.cut(rows, key=lambda row: [str(row.id)])
    return Page(items=[RunView.model_validate(row) for row in shown], next_cursor=cursor)


@router.get("/rescoring-runs/{run_id}", response_model=RunView, operation_id="get-rescoring-run")
async def get_run(run_id: UUID, call: Reader) -> RunView:
    """How far a run is."""
    async with call.read() as session:
        return RunView.model_validate(await store.one(session, call.tenant, run_id))


@router.post("/rescoring-runs/{run_id}/stop", response_model=RunView, operation_id="stop-rescoring-run")
async def stop_run(run_id: UUID, call: Admin) -> Response:
    """End a run before its time, after the page in hand.

    The accounts that it did not come to are scored anew when something happens to them, or time does: within a day.
    """

    async def work(uow: UnitOfWork) -> Answer:
        stopped = await store.stop(uow.session, call.tenant, run_id, call.subject, uow.now)
        row = await store.one(uow.session, call.tenant, run_id)
        if not stopped:
            raise RunEnded("An audit can't be stopped." if row.cause == "audit" else f"The run is {row.state}.")
        return Answer(RunView.model_validate(row))

    return await call.write(work)


@router.post("/health/rebuild", response_model=RunView, status_code=202, operation_id="rebuild-health")
async def rebuild(call: Admin) -> Response:
    """Sum every account's balances and memory anew from the ledger, page by page, while all else goes on.

    Asked again, it begins anew. Only what health was said to be before is kept.
    """

    async def work(uow: UnitOfWork) -> Answer:
        run = await store.start(uow.session, call.tenant, cause="rebuild", by=call.subject, now=uow.now)
        return Answer(RunView.model_validate(run), status=202)

    return await call.write(work)
