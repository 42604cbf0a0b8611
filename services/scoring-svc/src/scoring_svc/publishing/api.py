"""The routes that put scorecards in force and out of it."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Depends, Response
from pydantic import StringConstraints

from bellwether_kit.db import UnitOfWork
from bellwether_kit.http import Answer, Call, RequestModel, ResponseModel, etag, if_match, requires
from bellwether_kit.http import router as routes
from scoring_svc.errors import DraftOutdated, NotInForce, SegmentsOverlap
from scoring_svc.rescoring import store as rescoring_store
from scoring_svc.scorecards import store
from scoring_svc.scorecards.store import segment_of
from scoring_svc.scorecards.tables import ScorecardRow

router = routes(tags=["scorecards"])

Admin = Annotated[Call, Depends(requires("health:admin"))]


class Because(RequestModel):
    """Why."""

    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class Enforced(ResponseModel):
    """A scorecard that has come into force or gone out of it, and the run that scores the accounts anew.

    `GET /v1/rescoring-runs/{run_id}` says how far it is.
    """

    id: UUID
    name: str
    version: int
    state: Literal["published", "retired"]
    run_id: UUID


@router.post("/scorecards/{scorecard_id}/publish", operation_id="publish-scorecard", response_model=Enforced)
async def publish_scorecard(scorecard_id: UUID, body: Because, call: Admin) -> Response:
    """Put a draft in force in the place of the version before, and score the accounts it is for anew.

    That goes on in the background; what happens to an account meanwhile is scored by the new one already.
    """

    async def work(uow: UnitOfWork) -> Answer:
        row = await store.draft(uow.session, call.tenant, scorecard_id)
        if_match(call.request, row.revision, required=False)
        cards = (await store.in_force(uow.session, {call.tenant}))[call.tenant]
        other = cards.overlapping(row.name, segment_of(row.segment))
        if other is not None:
            detail = f"The scorecard {other.name}, which is in force, is for some of the same accounts."
            raise SegmentsOverlap(detail, pointer="/segment", scorecard=other.name)
        before = await store.published(uow.session, call.tenant, row.name)
        if before is not None:
            if before.version > row.version:
                raise DraftOutdated(f"Version {before.version} is in force: begin a draft after it.")
            _retire(before, call, uow)
            await uow.session.flush()  # one version of a name is in force at any time
        row.state, row.reason, row.revision = "published", body.reason, row.revision + 1
        row.published_by, row.published_at = call.subject, uow.now
        return await _rescored(uow, call, row, "publish", body.reason)

    return await call.write(work)


@router.post("/scorecards/{scorecard_id}/retire", operation_id="retire-scorecard", response_model=Enforced)
async def retire_scorecard(scorecard_id: UUID, body: Because, call: Admin) -> Response:
    """Put a scorecard out of force: its accounts are scored anew by the default, the default's by the built-in one."""

    async def work(uow: UnitOfWork) -> Answer:
        await store.lock(uow.session, call.tenant)
        row = await store.one(uow.session, call.tenant, scorecard_id)
        if_match(call.request, row.revision, required=False)
        if row.state != "published":
            raise NotInForce(f"The scorecard is {row.state}.")
        _retire(row, call, uow)
        return await _rescored(uow, call, row, "retire", body.reason)

    return await call.write(work)


def _retire(row: ScorecardRow, call: Call, uow: UnitOfWork) -> None:
    row.state, row.revision = "retired", row.revision + 1
    row.retired_by, row.retired_at = call.subject, uow.now


async def _rescored(uow: UnitOfWork, call: Call, row: ScorecardRow, cause: str, reason: str) -> Answer:
    await uow.session.flush()
    run = await rescoring_store.start(
        uow.session, call.tenant, cause=cause, by=call.subject, now=uow.now, reason=reason, scorecard_id=row.id
    )
    told = {name: getattr(row, name) for name in ("id", "name", "version", "state")}
    return Answer(Enforced(**told, run_id=run.id), headers={"ETag": etag(row.revision)})
