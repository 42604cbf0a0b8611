"""Every example of what others say is taken, twice and backwards, and leaves no dead letter."""

from pathlib import Path

import pytest

from bellwether_kit.events import Subscription
from bellwether_kit.testing.service import Mailbox
from scoring_svc.subscriptions import SUBSCRIPTIONS

EXAMPLES = Path(__file__).parents[4] / "shared" / "contracts" / "examples"


@pytest.mark.parametrize("subscription", SUBSCRIPTIONS, ids=lambda row: row.type)
async def test_every_consumed_example_is_handled_twice_and_backwards(
    subscription: Subscription, mailbox: Mailbox
) -> None:
    examples = sorted((EXAMPLES / subscription.type).glob("*.json"))
    assert len(examples) >= 3
    records = [mailbox.record(subscription.topic, path.read_bytes(), key="acme/x") for path in examples]
    for batch in (records, records, records[::-1]):
        assert await mailbox.process(*batch) == 0
    assert mailbox.dead_letters() == []
