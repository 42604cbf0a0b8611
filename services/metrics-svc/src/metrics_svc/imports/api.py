"""The routes that take files of activities, CSV or NDJSON, as long as they like, and answer row by row."""

import re
from collections.abc import Sequence
from contextlib import ExitStack, closing
from typing import Annotated, Any

import structlog
from fastapi import Depends, Query, Request
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import ClientDisconnect
from starlette.responses import Response, StreamingResponse

from bellwether_kit.db import UnitOfWork
from bellwether_kit.errors import DomainError
from bellwether_kit.http import Call, ProblemError, requires
from bellwether_kit.http import router as routes
from bellwether_kit.http.bodies import BodyRequest, body_of, unsupported_media_type
from bellwether_kit.http.bulk import NDJSON
from bellwether_kit.http.guard import admitted
from bellwether_kit.http.problems import members
from bellwether_kit.http.runtime import runtime_of
from metrics_svc.adapters.csv import Sheet
from metrics_svc.adapters.ndjson import Items
from metrics_svc.adapters.text import Unreadable
from metrics_svc.connections.store import named
from metrics_svc.errors import UnreadableFile, forged
from metrics_svc.imports.store import Report, Rows, Take, work
from metrics_svc.inbound.rules import Forgery, Options
from metrics_svc.inbound.store import accept_foreign
from metrics_svc.intake.rules import Told
from metrics_svc.intake.store import Result

router = routes(tags=["imports"])

Machine = Annotated[Call, Depends(requires("evidence:ingest", "evidence:write"))]
CSV = "text/csv"

_CHARSET = re.compile(r'charset="?([\w.:-]+)', re.IGNORECASE)
_LINES = {"schema": {"type": "string"}}
_BODY: dict[str, Any] = {"requestBody": {"required": True, "content": {CSV: _LINES, NDJSON: _LINES}}}
_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {"description": "One line per row, then the totals", "content": {NDJSON: _LINES}}
}

log = structlog.get_logger(__name__)


@router.post("/activities/import", operation_id="import-activities", responses=_ANSWER, openapi_extra=_BODY)
async def import_activities(
    call: Machine,
    source: Annotated[str, Query(max_length=63, description="the source of rows that name none")] = "",
    *,
    dry_run: bool = False,
) -> Response:
    """Take in a file of activities, up to 128 MiB, in batches of 500; again does no harm.

    Each row's line has `row` (its line in the file), `status` as for activities, `id` or `problem`; the last line has
    the totals, and `complete`: false when something ended the work before the file did. `dry_run` changes nothing,
    and looks at each batch by itself. An `Idempotency-Key` changes nothing.
    """
    return await _imported(call, Options(source=source), call.subject, dry_run=dry_run)


@router.post(
    "/inbound/csv",
    operation_id="receive-file",
    responses=_ANSWER
    | {401: {"description": "No live ingest key"}, 403: {"description": "The connection is disabled"}},
    openapi_extra=_BODY | {"security": [{"delivery": []}]},
)
async def receive_file(
    request: Request,
    connection: Annotated[str, Query(max_length=36, description="the connection's id")] = "",
    *,
    dry_run: bool = False,
) -> Response:
    """Take in a file as `import-activities` does, from a source that shows its ingest key as a bearer token."""
    async with runtime_of(request).database.rehearsal(None) as uow:
        known = await named(uow.session, "csv", connection)
    call = admitted(request, known.tenant, known.author)
    proof = known.keyed(request.headers.get("authorization", ""))
    if isinstance(proof, Forgery):
        raise forged(proof)
    return await _imported(call, known.options, known.author, dry_run=dry_run)


async def _imported(call: Call, options: Options, author: str, *, dry_run: bool) -> Response:
    async def take(told: Sequence[Told]) -> Sequence[Result | DomainError]:
        async def accepted(uow: UnitOfWork) -> Sequence[Result | DomainError]:
            return await accept_foreign(uow, call.tenant, told, author=author, dry_run=dry_run)

        if not dry_run:
            async with call.turn("intake"):
                return await call.transact(accepted)
        async with call.rehearsal() as uow:
            return await accepted(uow)

    request = body_of(call.request)
    rows = _rows(request.media_type, request.headers.get("content-type", ""), options)
    with ExitStack() as unsent:
        report = unsent.enter_context(closing(Report()))
        try:
            problem = await _worked(rows, request, take, report)
        except ClientDisconnect:
            log.info("import.abandoned", rows=report.counts.total())
            return Response(status_code=400)
        report.total(complete=problem is None, dry_run=dry_run, ignored_columns=rows.ignored, problem=problem)
        unsent.pop_all()
    return StreamingResponse(report.sent(), media_type=NDJSON)


async def _worked(rows: Rows, request: BodyRequest, take: Take, report: Report) -> dict[str, Any] | None:
    """Work the file; gives the problem that ended it midway, and raises the one that ended it at once."""
    try:
        await work(rows, request.chunks(), take, report)
    except Unreadable as error:
        raise UnreadableFile(f"The file can't be read: {error}.") from error
    except (ProblemError, SQLAlchemyError) as error:
        if not report.counts:
            raise
        log.warning("import.interrupted", rows=report.counts.total(), exc_info=error)
        return _interruption(error)
    return None


def _interruption(error: Exception) -> dict[str, Any]:
    detail = "The rest was not taken in; send the file again."
    return members(error if isinstance(error, ProblemError) else ProblemError(503, "import-interrupted", detail))


def _rows(media_type: str, content_type: str, options: Options) -> Rows:
    """What reads a file of ``media_type``; raises the 415 problem for one that nothing reads."""
    if media_type in {NDJSON, "application/ndjson"}:
        return Items(options)
    if media_type != CSV:
        raise unsupported_media_type(CSV, NDJSON)
    charset = _CHARSET.search(content_type)
    try:
        return Sheet(options, charset[1] if charset else "utf-8")
    except Unreadable as error:
        raise ProblemError(415, "unknown-charset", f"{str(error)[:1].upper()}{str(error)[1:]}.") from error
