"""People judge alerts; a rule's false alarms are counted by what they say."""

from typing import Any
from uuid import UUID

import pytest


@pytest.fixture
async def alert(world: Any) -> dict[str, Any]:
    await world.tell(*(world.evidence("call-unreturned") for _ in range(3)))
    [found] = await world.alerts()
    return dict(found)


async def test_the_last_word_on_an_alert_counts_for_each_of_its_rules(world: Any, alert: dict[str, Any]) -> None:
    path = f"/alerts/{alert['alert_id']}"
    answer = await world.post(f"{path}/verdict", {"verdict": "false-alarm", "note": "they were on leave"})
    assert (answer.status_code, answer.json()["rules"]) == (200, ["health-below"])
    await world.post(f"{path}/resolve", {"reason": "nothing"})
    for _ in range(2):
        await world.post(f"{path}/verdict", {"verdict": "false-alarm", "note": "they were on leave"})
    found = (await world.get("/alert-rules/health-below/statistics")).json()
    assert (found["n"], found["false_alarms"], found["false_alarm_rate"]) == (1, 1, 1.0)
    assert 0.2 < found["low"] < found["high"] == 1.0
    await world.post(f"{path}/verdict", {"verdict": "true-alarm"})
    found = (await world.get("/alert-rules/health-below/statistics")).json()
    assert (found["n"], found["false_alarms"], found["false_alarm_rate"]) == (1, 0, 0.0)
    timeline = (await world.get(path)).json()["timeline"]
    assert [entry["change"] for entry in timeline] == ["opened", "judged", "resolved", "judged"]
    assert world.alert_events() == ["opened", "resolved"]


async def test_what_is_not_judged_counts_nothing(world: Any, alert: dict[str, Any]) -> None:
    found = (await world.get("/alert-rules/health-below/statistics")).json()
    assert (found["n"], found["false_alarm_rate"]) == (0, None)
    await world.post(f"/alerts/{alert['alert_id']}/verdict", {"verdict": "true-alarm"})
    assert (await world.get("/alert-rules/going-dark/statistics")).json()["n"] == 0
    later = {"from": "2100-01-01T00:00:00Z"}
    assert (await world.get("/alert-rules/health-below/statistics", **later)).json()["n"] == 0
    assert (await world.get("/alert-rules/health-below/statistics", tenant="globex")).json()["n"] == 0


async def test_verdicts_on_nothing_or_of_another_kind_are_refused(world: Any, alert: dict[str, Any]) -> None:
    path = f"/alerts/{alert['alert_id']}/verdict"
    answer = await world.post(f"/alerts/{UUID(int=9)}/verdict", {"verdict": "true-alarm"})
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown-alert")
    assert (await world.post(path, {"verdict": "true-alarm"}, tenant="globex")).status_code == 404
    answer = await world.post(path, {"verdict": "maybe"})
    assert (answer.status_code, answer.json()["code"]) == (422, "validation-failed")
    answer = await world.get("/alert-rules/no-such-rule/statistics")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown-rule")
    assert world.mailbox.admin("SELECT * FROM alert_verdict") == []
