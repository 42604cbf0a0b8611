"""The routes by which survey answers come in and are read, and of an account's satisfaction."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Response
from pydantic import ConfigDict, Field, StringConstraints

from bellwether_kit.db import UnitOfWork
from bellwether_kit.errors import DomainError
from bellwether_kit.http import (
    Answer,
    BulkAnswer,
    Call,
    Page,
    PageRequest,
    Problem,
    QueryModel,
    RequestModel,
    ResponseModel,
    UtcDatetime,
    items_body,
    read_items,
    requires,
)
from bellwether_kit.http import router as routes
from metrics_svc.accounts.store import knows
from metrics_svc.errors import MissingIdentity, PeriodOutOfOrder, UnknownAccount, error_of
from metrics_svc.intake.rules import revision_of
from metrics_svc.records.rules import LONGEST_NAME, LONGEST_SOURCE, AccountName, PersonName, Record
from metrics_svc.records.store import people
from metrics_svc.surveys import rules, store

router = routes(tags=["surveys"])

Machine = Annotated[Call, Depends(requires("evidence:ingest", "evidence:write"))]
Reader = Annotated[Call, Depends(requires("evidence:read"))]
Scale = Annotated[str, StringConstraints(pattern=r"^\d{1,3}-\d{1,3}$")]
Question = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class NewResponse(RequestModel):
    """What one person answered to one question. The same source and external id is the same answer for ever."""

    model_config = ConfigDict(json_schema_extra={"required": ["source", "external_id", "account", "score", "scale"]})

    source: Annotated[str, Field(max_length=LONGEST_SOURCE)] = ""
    external_id: Annotated[str, Field(max_length=LONGEST_NAME)] = ""
    revision: Annotated[int | None, Field(ge=0, description="higher is later; default: by updated_at, else 1")] = None
    updated_at: Annotated[UtcDatetime | None, Field(description="when the source last changed the record")] = None
    account: AccountName
    respondent: PersonName | None = None
    answered_at: UtcDatetime
    question: Annotated[Question | None, Field(description="which question of the survey; a key, not its text")] = None
    scale: Annotated[Scale, Field(description="lowest and highest score", examples=["1-5", "0-10"])]
    score: int
    method: Annotated[
        str, Field(max_length=40, description="how it is counted: top-2-box, top-box or mean for CSAT, or nps")
    ] = rules.METHODS[0]

    def answer(self) -> rules.Answer:
        """The answer itself."""
        low, _, high = self.scale.partition("-")
        return rules.Answer(self.method, int(low), int(high), self.score, self.answered_at)

    def refusal(self, as_of: datetime) -> DomainError | None:
        """Why it is not taken, or None."""
        for name in ("source", "external_id"):
            if not getattr(self, name).strip():
                return MissingIdentity("Say the source and its own id of the answer.", pointer=f"/{name}")
        found = rules.refusal(self.answer(), as_of)
        return None if found is None else error_of(*found)

    def record(self, tenant: str, respondent: UUID | None) -> Record:
        """The answer as it is kept."""
        answer = self.answer()
        return Record(
            id=store.response_id(tenant, self.source, self.external_id),
            source=self.source,
            revision=revision_of(self.revision, self.updated_at),
            account=self.account.reference(),
            values={
                "external_id": self.external_id,
                "answered_at": self.answered_at,
                "method": self.method,
                "question": self.question,
                "scale_low": answer.low,
                "scale_high": answer.high,
                "score": self.score,
                "worth": rules.worth(answer),
                "respondent_id": respondent,
            },
        )


EXAMPLE = {
    "source": "delighted",
    "external_id": "answer-5531",
    "account": {"source": "hubspot", "external_id": "company-17"},
    "respondent": {"email": "bo@acme.example"},
    "answered_at": "2026-11-20T10:15:00Z",
    "question": "support-overall",
    "scale": "1-5",
    "score": 4,
    "method": "top-2-box",
}


class ResponseView(ResponseModel):
    """An answer in its latest revision; `account_id` is null while no account is known by its reference."""

    id: UUID
    source: str
    external_id: str
    revision: int
    account_id: UUID | None
    respondent_id: UUID | None
    answered_at: datetime
    recorded_at: datetime
    method: str
    question: str | None
    scale: str
    score: int
    author: str


class Filters(QueryModel):
    """What a list of answers can be narrowed to; `from` is inclusive, `to` is not."""

    account_id: UUID | None = None
    method: Annotated[str | None, Field(max_length=40)] = None
    question: Annotated[str | None, Field(max_length=200)] = None
    source: Annotated[str | None, Field(max_length=LONGEST_SOURCE)] = None
    unmatched: Annotated[bool, Field(description="only those without an account")] = False
    from_: Annotated[UtcDatetime | None, Field(alias="from")] = None
    to: UtcDatetime | None = None


class Part(QueryModel):
    """`from` is inclusive, `to` is not; by default the 365 days before now, which is what is published."""

    question: Annotated[str | None, Field(max_length=200)] = None
    method: Annotated[str | None, Field(max_length=40)] = None
    from_: Annotated[UtcDatetime | None, Field(alias="from")] = None
    to: UtcDatetime | None = None


class FigureView(ResponseModel):
    """CSAT in percent, or NPS from -100 to 100, and how sure it is; all but `n` are null without answers."""

    method: Annotated[str | None, Field(description="how the answers were counted; mixed: in several ways")]
    n: int
    value: float | None
    standard_error: Annotated[float | None, Field(description="in the value's unit")]
    low: Annotated[float | None, Field(description="of the 95 % interval: Wilson's for CSAT, the normal one for NPS")]
    high: float | None


class QuestionView(FigureView):
    """The figure of one question and method."""

    metric: str
    question: str | None


class Satisfaction(ResponseModel):
    """What the answers of a period come to, as a whole and by question and method."""

    account_id: UUID
    period_start: datetime
    period_end: datetime
    csat: FigureView
    nps: FigureView
    questions: list[QuestionView]


@router.post(
    "/survey-responses",
    response_model=BulkAnswer,
    operation_id="post-survey-responses",
    openapi_extra=items_body(NewResponse, EXAMPLE, {"items": [EXAMPLE]}),
)
async def post_survey_responses(call: Machine, *, dry_run: bool = False) -> Response | BulkAnswer:
    """Take in up to 500 answers; one result per item, in order, as for activities. `dry_run` changes nothing."""
    items = await read_items(call, NewResponse)

    async def take(uow: UnitOfWork) -> BulkAnswer:
        said = [item for item in items if isinstance(item, NewResponse)]
        known = await people(uow.session, call.tenant, {item.respondent for item in said if item.respondent})

        def judged(item: NewResponse | Problem) -> Record | DomainError | Problem:
            if isinstance(item, Problem):
                return item
            respondent = known.get(item.respondent) if item.respondent else None
            return item.refusal(uow.now) or item.record(call.tenant, respondent)

        records = [judged(item) for item in items]
        return BulkAnswer(items=await store.accept(uow, call.tenant, records, author=call.subject))

    async def work(uow: UnitOfWork) -> Answer:
        return Answer(await take(uow))

    if dry_run:
        async with call.rehearsal() as uow:
            return await take(uow)
    return await call.write(work)


@router.get("/survey-responses", operation_id="list-survey-responses")
async def list_survey_responses(
    call: Reader, page: PageRequest, filters: Annotated[Filters, Query()]
) -> Page[ResponseView]:
    """Answers, the latest first."""
    async with call.read() as session:
        rows = await store.listed(session, call.tenant, filters.model_dump(), after=page.after, limit=page.limit + 1)
    shown, cursor = page.cut(rows, key=lambda row: [row.answered_at.isoformat(), str(row.id)])
    return Page(items=[ResponseView.model_validate(row) for row in shown], next_cursor=cursor)


@router.get("/accounts/{account_id}/satisfaction", operation_id="get-satisfaction")
async def get_satisfaction(account_id: UUID, call: Reader, part: Annotated[Part, Query()]) -> Satisfaction:
    """CSAT and NPS of one account, each with its n and standard error."""
    until = part.to or call.now
    since = part.from_ or rules.counts_from(until)
    if since >= until:
        raise PeriodOutOfOrder("The period ends before it starts.")
    async with call.read() as session:
        if not await knows(session, call.tenant, account_id):
            raise UnknownAccount("There is no account of this id.")
        rows = await store.parts(session, call.tenant, account_id, since, part.model_dump())
    whole = {row.metric: _figure(row) for row in rows if row.whole}
    nothing = FigureView(method=None, n=0, value=None, standard_error=None, low=None, high=None)
    return Satisfaction(
        account_id=account_id,
        period_start=since,
        period_end=until,
        csat=whole.get("csat", nothing),
        nps=whole.get("nps", nothing),
        questions=[
            QuestionView(metric=row.metric, question=row.question, **_figure(row).model_dump())
            for row in rows
            if not row.whole
        ],
    )


def _figure(row: Any) -> FigureView:
    figure = rules.figure(row.metric, row.n, row.total, row.squares)
    return FigureView(
        method=row.method,
        n=figure.n,
        value=figure.value,
        standard_error=figure.standard_error,
        low=figure.low,
        high=figure.high,
    )
