"""How long it takes on an idle stack from a post to the alert on its topic. It is printed; only a stall fails."""

import asyncio
import time
from statistics import median

import pytest
from aiokafka import AIOKafkaConsumer
from stories import meeting
from tenants import Tenant

pytestmark = pytest.mark.stack

TIMES = 5
SECONDS = 10.0


async def test_the_alert_is_readable_on_its_topic_soon_after_the_post(
    tenant: Tenant, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [f"company-{n}" for n in range(1, TIMES + 1)]
    accounts = {name: tenant.open_account(name) for name in names}
    consumer = AIOKafkaConsumer("account-alerts", **tenant.stack.layout.kafka_options, fetch_max_wait_ms=50)
    taken = []
    await consumer.start()
    try:
        for name, account_id in accounts.items():
            await consumer.seek_to_end()
            began = time.monotonic()
            tenant.say(declined(tenant, name))
            async with asyncio.timeout(SECONDS):
                await until_alert_of(f"{tenant.name}/{account_id}", consumer)
            taken.append(time.monotonic() - began)
            await asyncio.to_thread(tenant.settle)
    finally:
        await consumer.stop()

    with capsys.disabled():
        figures = ", ".join(f"{seconds * 1000:.0f}" for seconds in sorted(taken))
        print(f"\nPOST → alert on its topic: median {median(taken) * 1000:.0f} ms of {figures} ms")


def declined(tenant: Tenant, company: str) -> list[dict[str, object]]:
    """Four meetings that are declined, enough for an alert."""
    account = {"account": {"source": "crm", "external_id": company}}
    return [meeting(f"{company}-{n}", tenant.now, "declined", n) | account for n in range(4)]


async def until_alert_of(key: str, consumer: AIOKafkaConsumer) -> None:
    """Read until a record has the key."""
    while True:
        for batch in (await consumer.getmany(timeout_ms=100)).values():
            if any(record.key == key.encode() for record in batch):
                return
