"""What a run sends, lays and schedules: the same by the same seed, and as much of everything as is said."""

import json
import random
from collections import Counter
from types import SimpleNamespace
from typing import cast

import pytest

from bellwether.stack import Stack
from faults.disturb import KINDS, schedule
from faults.handmade import Canned
from faults.load import CANARY, TAKEN_BACK_AS, Item, Script
from faults.lookout import EFFECTS, Lookout
from faults.poison import WEIGHTS, brewed
from faults.readers import SUBSCRIPTIONS, readers


def said(seed: int) -> list[tuple[str, list[Item]]]:
    return list(Script(seed, 2_000).posts())


def test_a_seed_says_the_same_and_another_one_something_else() -> None:
    script = Script(5, 300)

    assert list(script.posts()) == list(script.posts())
    assert [post for post, _ in said(5)] != [post for post, _ in said(6)]


def test_no_post_says_two_revisions_of_one_activity() -> None:
    for _, items in said(7):
        assert len({item.external_id for item in items}) == len(items)


def test_activities_of_every_type_are_taken_back_and_the_canary_speaks() -> None:
    posts = said(8)
    later = [item.body for _, items in posts for item in items if item.revision > 1]
    back = {body["type"] for body in later if TAKEN_BACK_AS[body["type"]].items() <= body.items()}

    assert back == TAKEN_BACK_AS.keys()
    assert CANARY in {tenant for tenant, _ in posts}


def test_a_larger_load_has_more_accounts() -> None:
    assert Script(1, 5_000).accounts == 40
    assert Script(1, 100_000).accounts == 800


@pytest.mark.parametrize("count", [7, len(KINDS), 50])
def test_each_kind_of_fault_is_done_as_often_as_any_other(count: int) -> None:
    kinds = schedule(random.Random(1), list(KINDS), count)

    assert len(kinds) == count
    often = Counter(kinds)
    assert max(often.values()) - min(often[kind] for kind in KINDS) <= 1


@pytest.mark.parametrize("topic", WEIGHTS)
def test_poison_is_of_every_kind_and_names_those_who_read_it(topic: str) -> None:
    rng = random.Random(3)
    laid = [brewed(rng, topic) for _ in range(60)]

    assert {kind for kind, _, _ in laid} == {"undecodable", "schema", "unknown-type", "version"}
    for kind, value, whom in laid:
        assert whom >= {"scoring"} or topic == "account-scores"
        if kind == "schema":
            type_ = json.loads(value)["type"]
            assert whom == {s for s, rows in SUBSCRIPTIONS.items() if any(r.type == type_ and r.handler for r in rows)}
        else:
            assert whom == readers(topic, None)


def test_a_look_sees_a_commit_past_what_has_no_effect() -> None:
    outside = Canned({("plan", "FROM account"): [("acme", "a1", 2)]})
    lookout, effect = Lookout(cast("Stack", None), outside), EFFECTS["plan"][0]

    def record(offset: int, **data: object) -> SimpleNamespace:
        value = json.dumps({"tenantid": "acme", "data": data}).encode()
        return SimpleNamespace(topic="accounts", partition=0, offset=offset, value=value)

    lookout._compare("plan", effect, [record(1, account_id="a1", version=2), record(2, what="else")])
    assert (lookout.checked, lookout.broken) == (1, [])

    lookout._compare("plan", effect, [record(3, account_id="a1", version=3), record(4, account_id="a2", version=1)])
    assert len(lookout.broken) == 2
