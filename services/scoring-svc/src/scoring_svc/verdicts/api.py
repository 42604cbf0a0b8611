"""The routes on which people judge alerts, and on which a rule's false alarms are read."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Depends, Query, Response
from pydantic import StringConstraints

from bellwether_kit.db import UnitOfWork
from bellwether_kit.http import Answer, Call, RequestModel, ResponseModel, UtcDatetime, requires
from bellwether_kit.http import router as routes
from scoring_svc.alert_rules.rules import DEFAULT_RULES
from scoring_svc.alerts import store as alerts_store
from scoring_svc.alerts.rules import touched
from scoring_svc.alerts.store import Change, Held
from scoring_svc.errors import UnknownAlert, UnknownRule
from scoring_svc.verdicts import store
from scoring_svc.verdicts.rules import rate

router = routes(tags=["verdicts"])

Reader = Annotated[Call, Depends(requires("alerts:read", "alerts:admin"))]


class Verdict(RequestModel):
    """Whether the alert was right to be raised; the last word of any person counts."""

    verdict: Literal["true-alarm", "false-alarm"]
    note: Annotated[str, StringConstraints(strip_whitespace=True, max_length=2_000)] = ""


class VerdictView(ResponseModel):
    """The verdict on an alert, and the rules that it counts for."""

    alert_id: UUID
    verdict: str
    by: str
    note: str
    at: datetime
    rules: list[str]


class RuleStatistics(ResponseModel):
    """How often a rule was wrong: of the `n` alerts judged in which it was a reason. Interval: Wilson, 95 %."""

    rule: str
    n: int
    false_alarms: int
    false_alarm_rate: float | None
    low: float
    high: float


@router.post("/alerts/{alert_id}/verdict", response_model=VerdictView, operation_id="judge-alert")
async def judge(alert_id: UUID, body: Verdict, call: Annotated[Call, Depends(requires("alerts:write"))]) -> Response:
    """Say whether the alert was right, also when it is resolved; the same again changes nothing."""

    async def work(uow: UnitOfWork) -> Answer:
        held = await alerts_store.by_id(uow.session, call.tenant, alert_id, lock=True)
        if held is None:
            raise UnknownAlert("There is no alert of this id.")
        said = {"verdict": body.verdict, "note": body.note}
        if await store.judge(uow.session, call.tenant, alert_id, by=call.subject, now=uow.now, **said):
            after = Held(held.tenant, held.account_id, touched(held.alert), held.circumstances)
            await alerts_store.save(uow, [Change(after, "judged", by=call.subject, detail=said)])
        return Answer(VerdictView.model_validate(await store.of_alert(uow.session, call.tenant, alert_id)))

    return await call.write(work)


@router.get("/alert-rules/{rule}/statistics", response_model=RuleStatistics, operation_id="get-alert-rule-statistics")
async def statistics(
    rule: str, call: Reader, since: Annotated[UtcDatetime | None, Query(alias="from")] = None
) -> RuleStatistics:
    """The rule's false-alarm rate with n and a 95 % interval, over verdicts given since then."""
    if rule not in DEFAULT_RULES:
        raise UnknownRule(f"There is no alert rule {rule[:60]!r}; there are {', '.join(DEFAULT_RULES)}.")
    async with call.read() as session:
        judged, wrong = await store.counts(session, call.tenant, rule, since)
    found = rate(wrong, judged)
    return RuleStatistics(
        rule=rule, n=found.n, false_alarms=wrong, false_alarm_rate=found.share, low=found.low, high=found.high
    )
