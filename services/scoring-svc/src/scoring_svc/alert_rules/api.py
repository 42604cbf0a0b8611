"""The routes that show and change alert rules: thresholds per tenant, each change with author and reason."""

import asyncio
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Depends, Response
from pydantic import Field, StringConstraints
from sqlalchemy.ext.asyncio import AsyncSession

from bellwether_kit.db import UnitOfWork
from bellwether_kit.http import Answer, Call, Page, PageRequest, RequestModel, ResponseModel, etag, if_match, requires
from bellwether_kit.http import router as routes
from scoring_svc.alert_rules import store
from scoring_svc.alert_rules.rules import (
    DEFAULT_RULES,
    LONGEST_WINDOW,
    LONGEST_WINDOWS,
    RuleConfig,
    in_order,
    window_in_reach,
)
from scoring_svc.alert_rules.tables import AlertRuleRow
from scoring_svc.channels import store as channels_store
from scoring_svc.errors import (
    ThresholdsOutOfOrder,
    UnknownKind,
    UnknownRule,
    UnroutableChannel,
    WindowOutOfReach,
)
from scoring_svc.health.rules import TREND_DAYS
from scoring_svc.health.store import instant
from scoring_svc.previews import store as previews_store
from scoring_svc.previews.rules import PAST_DAYS, Past, holds_from, raised
from scoring_svc.scorecards import store as scorecards_store
from scoring_svc.scorecards.rules import DAY, Scorecard

router = routes(tags=["alert-rules"])

Reader = Annotated[Call, Depends(requires("alerts:read", "alerts:admin"))]
Kind = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
Words = Annotated[tuple[Annotated[str, StringConstraints(min_length=1, max_length=200)], ...], Field(max_length=200)]


class PreviewSettings(RequestModel):
    """A rule whole: what is left out takes the documented default.

    It is for accounts of one of the `tiers`, `industries` and `territories`; none named: of any. `channels` are told at
    once of alerts that the rule is a reason of, besides those that routes lead to; where a route leads to the same
    channel, the route says when.
    """

    enabled: bool = True
    severity: Literal["low", "medium", "high", "critical"] | None = None
    fire: Annotated[float | None, Field(ge=0, le=1_000)] = None
    clear: Annotated[float | None, Field(ge=0, le=1_000)] = None
    step: Annotated[float | None, Field(ge=0, le=1_000)] = None
    window_days: Annotated[float | None, Field(gt=0, le=LONGEST_WINDOW)] = None
    min_confidence: Annotated[float | None, Field(ge=0, le=1)] = None
    hold_hours: Annotated[float | None, Field(ge=0, le=720)] = None
    cool_down_hours: Annotated[float | None, Field(ge=0, le=720)] = None
    kinds: Annotated[tuple[Kind, ...] | None, Field(max_length=100)] = None
    min_pieces: Annotated[float | None, Field(ge=1, le=1_000)] = None
    min_whitespace: Annotated[float | None, Field(ge=0, le=1e12)] = None
    min_mind: Annotated[float | None, Field(ge=0, le=100)] = None
    tiers: Annotated[tuple[Literal["A", "B", "C"], ...], Field(max_length=3)] = ()
    industries: Words = ()
    territories: Words = ()
    channels: Annotated[tuple[UUID, ...], Field(max_length=20)] = ()

    def config(self, rule: str) -> RuleConfig:
        """The rule's configuration that these settings say."""
        said = self.model_dump(exclude_none=True, exclude={"reason"})
        sets = {name: frozenset(value) for name, value in said.items() if isinstance(value, tuple)}
        return replace(DEFAULT_RULES[rule], **said | sets)


class RuleSettings(PreviewSettings):
    """A rule whole: what is left out takes the documented default. `reason` says why it is changed."""

    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class RaisedView(ResponseModel):
    """An alert that the rule alone would have raised; `resolved_at` null: it would stand now."""

    opened_at: datetime
    resolved_at: datetime | None
    days: float
    severity: str
    value: float
    reopened: int


class PreviewItem(ResponseModel):
    """An account for which the rule as it is, or as it would be, raised anything in the last 90 days."""

    account_id: UUID
    account_name: str | None
    now: list[RaisedView]
    then: list[RaisedView]


class PreviewPage(Page[PreviewItem]):
    """What a rule would have raised. `holds_from`: 90 days ago, or when what it goes by began to be kept."""

    holds_from: datetime


class RuleChange(ResponseModel):
    """A version of a rule's configuration: who put it in force, when and why. Only what differs from the default."""

    version: int
    author: str
    reason: str
    changed_at: datetime
    configuration: dict[str, object]


class RuleView(ResponseModel):
    """A rule as it applies; version 0 is the documented default."""

    rule: str
    alert_kind: str
    version: int
    enabled: bool
    severity: str
    fire: float
    clear: float
    step: float
    window_days: float
    min_confidence: float
    hold_hours: float
    cool_down_hours: float
    kinds: list[str]
    min_pieces: float
    min_whitespace: float
    min_mind: float
    tiers: list[str]
    industries: list[str]
    territories: list[str]
    channels: list[UUID]
    history: list[RuleChange]


@router.get("/alert-rules/{rule}", response_model=RuleView, operation_id="get-alert-rule")
async def get_rule(rule: str, call: Reader, response: Response) -> RuleView:
    """The rule's thresholds for this tenant, and every change they went through."""
    _known(rule)
    async with call.read() as session:
        rows = await store.versions(session, call.tenant, rule)
    view = _view(rule, [RuleChange.model_validate(row) for row in rows])
    response.headers["ETag"] = etag(view.version)
    return view


@router.put("/alert-rules/{rule}", response_model=RuleView, operation_id="put-alert-rule")
async def put_rule(rule: str, body: RuleSettings, call: Annotated[Call, Depends(requires("alerts:admin"))]) -> Response:
    """Put a new version in force; every account is evaluated under it at once. `If-Match` is honoured when sent."""
    _known(rule)
    config = sensible(body.config(rule))

    async def work(uow: UnitOfWork) -> Answer:
        await _refuse_unknown(uow.session, call.tenant, body, config)
        await store.lock(uow.session, call.tenant, rule)
        rows = await store.versions(uow.session, call.tenant, rule)
        version = rows[0].version if rows else 0
        if_match(call.request, version, required=False)
        row = AlertRuleRow(
            tenant=call.tenant,
            rule=rule,
            version=version + 1,
            configuration={},
            author=call.subject,
            reason=body.reason,
            changed_at=uow.now,
        )
        await store.change(uow.session, row, config)
        view = _view(rule, [RuleChange.model_validate(entry) for entry in (row, *rows)])
        return Answer(view, headers={"ETag": etag(view.version)})

    return await call.write(work)


@router.post("/alert-rules/{rule}/preview", response_model=PreviewPage, operation_id="preview-alert-rule")
async def preview(rule: str, body: PreviewSettings, call: Reader, page: PageRequest) -> PreviewPage:
    """What the rule as it is, and as it would be, raised in the last 90 days, account by account; nothing is written.

    A page looks through `limit` accounts and names those for which there is anything to say.
    """
    _known(rule)
    then = sensible(body.config(rule))
    after = UUID(page.after[0]) if page.after is not None else UUID(int=0)
    end, since = call.now.timestamp(), call.now - timedelta(days=PAST_DAYS + TREND_DAYS)
    async with call.read() as session:
        await _refuse_unknown(session, call.tenant, body, then)
        rows = await previews_store.accounts(session, call.tenant, after=after, limit=page.limit + 1)
        kept, cursor = page.cut(rows, key=lambda row: [str(row.account_id)])
        pasts = await previews_store.pasts(session, call.tenant, kept, since=since, now=call.now)
        cards = (await scorecards_store.in_force(session, {call.tenant}))[call.tenant]
        now = (await store.in_force(session, {call.tenant}))[call.tenant][rule]
    items = []
    for row in kept:
        past = pasts[row.account_id]
        card = cards.of(row.tier, row.industry, row.territory)
        told = [_raised(config, past, card, end) for config in (now, then)]
        if any(told):
            items.append(PreviewItem(account_id=row.account_id, account_name=row.name, now=told[0], then=told[1]))
        await asyncio.sleep(0)  # other requests go on while a page is worked through
    known_from = max((holds_from(then, past, end) for past in pasts.values()), default=end - PAST_DAYS * DAY)
    return PreviewPage(items=items, next_cursor=cursor, holds_from=instant(known_from))


def _raised(config: RuleConfig, past: Past, card: Scorecard, end: float) -> list[RaisedView]:
    return [
        RaisedView(
            opened_at=instant(found.opened_at),
            resolved_at=None if found.resolved_at is None else instant(found.resolved_at),
            days=((end if found.resolved_at is None else found.resolved_at) - found.opened_at) / DAY,
            severity=found.severity,
            value=found.value,
            reopened=found.reopened,
        )
        for found in raised(config, past, card, end)
    ]


def sensible(config: RuleConfig) -> RuleConfig:
    """The configuration, when it can fire and clear and looks no farther back than is remembered."""
    if not in_order(config):
        raise ThresholdsOutOfOrder("The rule would clear on the side on which it fires.", pointer="/clear")
    if not window_in_reach(config):
        longest = LONGEST_WINDOWS[config.rule]
        raise WindowOutOfReach(f"The rule looks back {longest:g} days at most.", pointer="/window_days")
    return config


async def _refuse_unknown(session: AsyncSession, tenant: str, body: PreviewSettings, config: RuleConfig) -> None:
    """Refuse kinds that no scorecard in force knows and channels that there are not."""
    cards = (await scorecards_store.in_force(session, {tenant}))[tenant]
    unknown = sorted(config.kinds - cards.kinds)
    if unknown:
        raise UnknownKind(f"No scorecard in force knows evidence of kind {unknown[0]}.", pointer="/kinds")
    there = await channels_store.kinds(session, tenant, body.channels) if body.channels else {}
    for place, channel in enumerate(body.channels):
        if channel not in there:
            raise UnroutableChannel("There is no channel of this id.", pointer=f"/channels/{place}")


def _known(rule: str) -> None:
    if rule not in DEFAULT_RULES:
        raise UnknownRule(f"There is no alert rule {rule[:60]!r}; there are {', '.join(DEFAULT_RULES)}.")


def _view(rule: str, changes: list[RuleChange]) -> RuleView:
    config = store.from_row(rule, changes[0].configuration) if changes else DEFAULT_RULES[rule]
    shown = {name: sorted(value) if isinstance(value, frozenset) else value for name, value in asdict(config).items()}
    return RuleView(version=changes[0].version if changes else 0, history=changes, **shown)
