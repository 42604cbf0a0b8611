"""What this service says fits its own models, and it takes what others say, twice."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bellwether_kit.events import Subscription
from bellwether_kit.testing.service import Mailbox
from metrics_svc.published import PUBLISHED
from metrics_svc.subscriptions import SUBSCRIPTIONS

EXAMPLES = Path(__file__).parents[4] / "shared" / "contracts" / "examples"


@pytest.mark.parametrize("model", PUBLISHED)
@pytest.mark.parametrize("size", ["typical", "smallest", "largest"])
def test_every_published_example_is_what_the_model_says(model: type[Any], size: str) -> None:
    data = json.loads((EXAMPLES / model.event_type / f"{size}.json").read_text())["data"]
    read = msgspec.to_builtins(msgspec.convert(data, model))
    assert {name: read[name] for name in data} == data


@pytest.mark.parametrize("subscription", SUBSCRIPTIONS, ids=lambda row: row.type)
async def test_every_consumed_example_is_handled_twice(subscription: Subscription, mailbox: Mailbox) -> None:
    examples = sorted((EXAMPLES / subscription.type).glob("*.json"))
    if not examples:
        pytest.skip("its owner has not written an example yet")
    records = [mailbox.record(subscription.topic, path.read_bytes(), key="acme/x") for path in examples]
    assert await mailbox.process(*records) == 0
    assert await mailbox.process(*records) == 0
