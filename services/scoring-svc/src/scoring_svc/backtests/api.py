"""The routes by which backtests are asked for, stopped and read. The worker does them: see `handlers`."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import Depends, Response
from pydantic import Field

from bellwether_kit.db import UnitOfWork
from bellwether_kit.http import Answer, Call, Page, PageRequest, RequestModel, ResponseModel, requires
from bellwether_kit.http import router as routes
from bellwether_kit.ids import uuid7
from scoring_svc.backtest_pages.rules import page as page_of
from scoring_svc.backtests import store
from scoring_svc.backtests.rules import LONGEST_HORIZON, MOST_DATES, SHORTEST_HORIZON, Asked, Report, one_in
from scoring_svc.backtests.tables import BacktestRow
from scoring_svc.errors import (
    BacktestsBusy,
    FitOutOfReach,
    HorizonNotOver,
    HorizonOutOfRange,
    NoOutcomes,
    TooManyDates,
    UnknownBacktest,
    UnknownKind,
)
from scoring_svc.fitting.rules import split
from scoring_svc.retrospect.rules import ACTS
from scoring_svc.scorecards import store as scorecards_store
from scoring_svc.scorecards.rules import Scorecard, configuration_of
from scoring_svc.scorecards.store import card_in

router = routes(tags=["proof"])

Reader = Annotated[Call, Depends(requires("health:read", "health:admin"))]
Admin = Annotated[Call, Depends(requires("health:admin"))]
Status = Literal["queued", "running", "done", "failed", "stopped"]
MOST_AT_ONCE: Final = 3
"""Backtests that a tenant may have queued or running."""


class NewBacktest(RequestModel):
    """Which dates to look back at, and what counts as lost."""

    dates: Annotated[list[date], Field(min_length=1, description="accounts are looked at as these days (UTC) begin")]
    # The range is the backtest's business, and has a code of its own.
    horizon_days: Annotated[int, Field(description="within how many days a client is lost or not, 7 to 730")] = 90
    lost_by: Annotated[
        Literal["outcomes", "silence"], Field(description="an outcome `churned`, or no act of the client's")
    ] = "silence"
    act: Annotated[str | None, Field(max_length=60, description="the one kind of act that counts; null: all")] = None
    min_acts: Annotated[
        int, Field(ge=1, le=1_000, description="acts before a date, for an account to be looked at")
    ] = 5
    scorecard: Annotated[
        Literal["current"] | UUID, Field(description="an id, or what is in force for each account")
    ] = "current"
    fit: Annotated[bool, Field(description="propose weights as a draft, learnt from the first dates")] = False

    @property
    def asked(self) -> Asked:
        """What it asks for."""
        return Asked(
            tuple(sorted(set(self.dates))),
            self.horizon_days,
            self.lost_by,
            self.act,
            self.min_acts,
            str(self.scorecard),
            self.fit,
        )


class BacktestItem(ResponseModel):
    """A backtest and how far it is: `accounts` were looked at so far. `draft_id` is that of the fitted scorecard."""

    id: UUID
    status: Status
    dates: list[date]
    horizon_days: int
    lost_by: str
    act: str | None
    min_acts: int
    scorecard: str
    fit: bool
    accounts: int
    asked_by: str
    asked_at: datetime
    finished_at: datetime | None
    problem: str | None
    draft_id: UUID | None


class BacktestView(BacktestItem):
    """A backtest with its report, once it is done."""

    report: Report | None


@router.post("/backtests", response_model=BacktestItem, status_code=202, operation_id="ask-backtest")
async def ask_backtest(body: NewBacktest, call: Admin) -> Response:
    """Have scores of past dates held against what then happened. The worker does it, account by account."""
    asked = sensible(body.asked, call.now.date())

    async def work(uow: UnitOfWork) -> Answer:
        if await store.unfinished(uow.session, call.tenant) >= MOST_AT_ONCE:
            raise BacktestsBusy(f"{MOST_AT_ONCE} backtests are queued or running; stop one, or wait.")
        if asked.lost_by == "outcomes" and not await store.any_loss(
            uow.session, call.tenant, asked.dates[0], asked.until
        ):
            raise NoOutcomes("Record outcomes first, or go by silence.", pointer="/lost_by")
        cards = await _cards(uow, call.tenant, body.scorecard)
        if asked.fit and len(cards) > 1:
            raise FitOutOfReach("Segments have scorecards of their own: name the one to fit.", pointer="/scorecard")
        row = BacktestRow(
            tenant=call.tenant,
            backtest_id=uuid7(),
            status="queued",
            asked=asdict(asked) | {"dates": [day.isoformat() for day in asked.dates]},
            cards=cards,
            one_in=one_in(await store.accounts(uow.session, call.tenant), len(asked.dates)),
            position=None,
            accounts=0,
            modelled=None,
            author=call.subject,
            asked_at=uow.now,
            finished_at=None,
            due_at=uow.now,
            problem=None,
            report=None,
            draft_id=None,
        )
        uow.session.add(row)
        return Answer(_item(row), status=202)

    return await call.write(work)


@router.get("/backtests", operation_id="list-backtests")
async def list_backtests(call: Reader, page: PageRequest) -> Page[BacktestItem]:
    """Backtests, the newest first."""
    before = page.after_id if page.after else None
    async with call.read() as session:
        rows = await store.listed(session, call.tenant, before=before, limit=page.limit + 1)
    shown, cursor = page.cut(rows, key=lambda row: [str(row.backtest_id)])
    return Page(items=[_item(row) for row in shown], next_cursor=cursor)


@router.get("/backtests/{backtest_id}", response_model=BacktestView, operation_id="get-backtest")
async def get_backtest(backtest_id: UUID, call: Reader) -> BacktestView:
    """One backtest with its report."""
    async with call.read() as session:
        row = await store.one(session, call.tenant, backtest_id)
    return BacktestView(**_item(row).model_dump(), report=store.report_of(row))


@router.get("/backtests/{backtest_id}/report.html", operation_id="get-backtest-page", response_class=Response)
async def get_page(backtest_id: UUID, call: Reader) -> Response:
    """The report as a page of its own, with ROC, lift and calibration drawn; no scripts. 404 until it is done."""
    async with call.read() as session:
        row = await store.one(session, call.tenant, backtest_id)
    report = store.report_of(row)
    if report is None:
        raise UnknownBacktest(f"The backtest is {row.status}: there is no report.")
    html = page_of(store.asked_of(row), report, row.finished_at or call.now)
    return Response(html, media_type="text/html")


@router.post("/backtests/{backtest_id}/stop", response_model=BacktestItem, operation_id="stop-backtest")
async def stop_backtest(backtest_id: UUID, call: Admin) -> Response:
    """End a backtest before its time; what it has seen is forgotten."""

    async def work(uow: UnitOfWork) -> Answer:
        await store.claim(uow.session, call.tenant, backtest_id)
        await store.end(uow.session, call.tenant, backtest_id, "stopped", uow.now)
        return Answer(_item(await store.one(uow.session, call.tenant, backtest_id)))

    return await call.write(work)


def sensible(asked: Asked, today: date) -> Asked:
    """What is asked for, when it can be done; raises the error that says why not."""
    if len(asked.dates) > MOST_DATES:
        raise TooManyDates(f"{len(asked.dates)} dates; {MOST_DATES} at most.", pointer="/dates")
    if not SHORTEST_HORIZON <= asked.horizon_days <= LONGEST_HORIZON:
        detail = f"A horizon lasts {SHORTEST_HORIZON} to {LONGEST_HORIZON} days."
        raise HorizonOutOfRange(detail, pointer="/horizon_days")
    if asked.dates[-1] > today - timedelta(days=asked.horizon_days):
        detail = f"What comes of {asked.dates[-1]} within {asked.horizon_days} days is not known yet."
        raise HorizonNotOver(detail, pointer="/dates")
    if asked.act is not None and asked.act not in ACTS:
        raise UnknownKind(f"Acts of a client are {', '.join(sorted(ACTS))}.", pointer="/act")
    if asked.fit and not split(asked.dates, asked.horizon_days)[0]:
        raise FitOutOfReach("No date begins after the horizon of an earlier one.", pointer="/dates")
    return asked


async def _cards(uow: UnitOfWork, tenant: str, scorecard: UUID | Literal["current"]) -> list[dict[str, Any]]:
    """The scorecards to go by, as they are kept: that of everybody else first. Raises UnknownScorecard."""
    if isinstance(scorecard, UUID):
        row = await scorecards_store.one(uow.session, tenant, scorecard)
        return [_kept(card_in(row), row.segment)]
    cards = (await scorecards_store.in_force(uow.session, {tenant}))[tenant]
    segments = [_kept(card, {name: sorted(words) for name, words in asdict(s).items()}) for s, card in cards.segments]
    return [_kept(cards.default, {}), *segments]


def _kept(card: Scorecard, segment: Mapping[str, Any]) -> dict[str, Any]:
    said = configuration_of(card)
    return {"name": card.name, "version": card.version, "segment": dict(segment), "configuration": said}


def _item(row: BacktestRow) -> BacktestItem:
    return BacktestItem(
        id=row.backtest_id,
        status=row.status,
        **row.asked,
        accounts=row.accounts,
        asked_by=row.author,
        asked_at=row.asked_at,
        finished_at=row.finished_at,
        problem=row.problem,
        draft_id=row.draft_id,
    )
