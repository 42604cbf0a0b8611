"""What would be if: the same answer as if it had happened, and nothing written."""

from datetime import timedelta
from typing import Any

import pytest

from bellwether_kit.ids import uuid7

PATH = "/v1/accounts/0199f3a0-5c1e-7a10-8f43-2b6f0a1c9d01/health/what-if"


async def suppose(world: Any, body: Any, path: str = PATH, tenant: str = "acme") -> Any:
    return await world.client.post(path, json=body, headers=world.auth("health:read", tenant=tenant))


def bad(kind: str, dimension: str = "heart") -> dict[str, Any]:
    return {"kind": kind, "dimension": dimension}


async def test_what_is_supposed_is_what_would_have_happened(world: Any, saying: Any) -> None:
    await world.tell(saying.account(tier="A"), saying.touch(world.clock.now()))
    await world.happens("meeting-held", "order-placed")
    before = [await world.health(), await world.alerts()]
    kinds = {"complaint-escalated": "heart", "not-invited": "mind", "renewal-declined": "wallet"}
    body = {"evidence": [bad(kind, dimension) for kind, dimension in kinds.items()], "coverage": 20.0}
    answer = await suppose(world, body)
    assert answer.status_code == 200, answer.text
    supposed = answer.json()
    assert [await world.health(), await world.alerts()] == before

    said = [world.evidence(kind, dimension=dimension) for kind, dimension in kinds.items()]
    await world.tell(*said, saying.coverage(20.0, world.clock.now()))
    health, [alert] = await world.health(), await world.alerts()
    assert supposed["now"]["score"] == pytest.approx(before[0]["score"], abs=1e-9)
    assert supposed["then"]["score"] == pytest.approx(health["score"], abs=1e-9)
    assert supposed["then"]["band"] == health["band"]
    assert supposed["then"]["confidence"] == pytest.approx(health["confidence"], abs=1e-9)
    [outlook] = supposed["alerts"]
    assert (outlook["change"], outlook["kind"], outlook["severity"]) == ("opened", "at-risk", alert["severity"])
    assert set(outlook["rules"]) == {reason["rule"] for reason in alert["reasons"]}


async def test_a_declined_renewal_would_cap_put_at_risk_at_once_and_end_by_itself(world: Any) -> None:
    await world.tell(
        *(world.evidence(kind) for kind in ("meeting-held", "advice-sought", "order-placed") for _ in "123")
    )
    declined = (await suppose(world, {"evidence": [bad("renewal-declined", "wallet")]})).json()
    now, then = declined["now"], declined["then"]
    assert (now["caps"], now["uncapped_score"]) == ([], now["score"])
    assert (then["score"], then["band"]) == (20.0, "at-risk")
    assert then["uncapped_score"] > 40
    assert then["time_to_risk"] == declined["at"]
    [cap] = then["caps"]
    assert (cap["cap"], cap["limit"]) == ("renewal-declined", 20.0)
    assert cap["ends_at"] == (world.clock.now() + timedelta(days=360)).isoformat().replace("+00:00", "Z")

    await world.tell(world.evidence("renewal-declined"))
    health = await world.health()
    assert health["caps"] == then["caps"]
    assert (health["time_to_risk"], health["uncapped_score"]) == (
        health["evaluated_at"],
        pytest.approx(then["uncapped_score"], abs=1e-9),
    )
    signed = (await suppose(world, {"evidence": [bad("renewal-signed", "wallet")]})).json()["then"]
    assert (signed["caps"], signed["score"]) == ([], signed["uncapped_score"])
    assert signed["time_to_risk"] != health["evaluated_at"]


async def test_a_cap_that_only_people_end_has_no_end(world: Any, saying: Any) -> None:
    await world.tell(saying.touch(world.clock.now()), saying.person(sentiment="detractor", veto=True))
    await world.tell(*(world.evidence("meeting-held") for _ in range(6)))
    health, supposed = await world.health(), (await suppose(world, {})).json()
    assert [(cap["cap"], cap["ends_at"]) for cap in health["caps"]] == [("veto-holder-detractor", None)]
    assert supposed["now"]["caps"] == health["caps"]
    assert supposed["now"]["time_to_risk"] is not None
    assert supposed["now"]["time_to_risk"] > health["evaluated_at"]


async def test_a_contact_would_end_the_silence_and_its_alert(world: Any, saying: Any) -> None:
    await world.tell(saying.account(tier="A"), saying.touch(world.clock.now()), saying.coverage(90, world.clock.now()))
    await world.tell(*(world.evidence("meeting-held") for _ in range(6)))
    await world.days_pass(15)
    assert [reason["rule"] for reason in (await world.alerts())[0]["reasons"]] == ["going-dark"]
    contact = (await suppose(world, {"last_two_way_at": world.clock.now().isoformat()})).json()
    assert [(each["change"], each["left"]) for each in contact["alerts"]] == [("resolved", ["going-dark"])]
    rhythm = (await suppose(world, {"cadence_days": 30})).json()
    assert [(each["change"], each["left"]) for each in rhythm["alerts"]] == [("resolved", ["going-dark"])]
    assert (await suppose(world, {})).json()["alerts"] == []


async def test_what_makes_no_sense_is_refused_where_it_stands(world: Any) -> None:
    await world.happens("meeting-held")
    before = [await world.health(), await world.alerts()]
    later = (world.clock.now() + timedelta(days=1)).isoformat()
    for body, code, pointer in (
        ({"evidence": [bad("meeting-held"), bad("smoke-signal")]}, "unknown-kind", "/evidence/1/kind"),
        (
            {"evidence": [bad("meeting-held") | {"observed_at": later}]},
            "moment-out-of-reach",
            "/evidence/0/observed_at",
        ),
        ({"last_two_way_at": later}, "moment-out-of-reach", "/last_two_way_at"),
        ({"coverage": 101}, "validation-failed", "/coverage"),
        ({"evidence": [bad("meeting-held", "soul")]}, "validation-failed", "/evidence/0/dimension"),
    ):
        problem = (await suppose(world, body)).json()
        assert (problem["status"], problem["code"]) == (422, code)
        assert [error["pointer"] for error in problem["errors"]] == [pointer]
    assert [await world.health(), await world.alerts()] == before


async def test_nothing_is_supposed_of_an_account_that_is_not_known(world: Any) -> None:
    await world.happens("meeting-held")
    unknown = await suppose(world, {}, f"/v1/accounts/{uuid7()}/health/what-if")
    other = await suppose(world, {}, tenant="globex")
    assert [(a.status_code, a.json()["code"]) for a in (unknown, other)] == [(404, "unknown-account")] * 2
