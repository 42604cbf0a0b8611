"""What this service says fits its own models, and it takes what others say, twice."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bellwether_kit.events import Subscription
from bellwether_kit.testing.service import Mailbox
from profile_svc.published import PUBLISHED
from profile_svc.subscriptions import SUBSCRIPTIONS

EXAMPLES = Path(__file__).parents[4] / "shared" / "contracts" / "examples"


@pytest.mark.parametrize("model", PUBLISHED)
@pytest.mark.parametrize("size", ["typical", "smallest", "largest"])
def test_every_published_example_is_what_the_model_says(model: type[Any], size: str) -> None:
    data = json.loads((EXAMPLES / model.event_type / f"{size}.json").read_text())["data"]
    read = msgspec.to_builtins(msgspec.convert(data, model))
    assert {name: read[name] for name in data} == data
    assert len(PUBLISHED) * 3 == len(list(EXAMPLES.glob("account.profile.*/*.json")))


@pytest.mark.parametrize("subscription", SUBSCRIPTIONS, ids=lambda row: row.type)
async def test_every_consumed_example_is_handled_twice(subscription: Subscription, mailbox: Mailbox) -> None:
    examples = sorted((EXAMPLES / subscription.type).glob("*.json"))
    records = [mailbox.record(subscription.topic, path.read_bytes(), key="acme/x") for path in examples]
    assert await mailbox.process(*records) == 0
    assert await mailbox.process(*records) == 0
