"""What a stack's broker must hold before workers start: the topics and, where it is locked, the rules of access."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from bellwether.acls import apply_acls
from bellwether.stack.layout import Layout
from bellwether.topics import Applied, apply_topics


def prepare_broker(layout: Layout) -> Applied:
    """Make what is missing, and tell which topics differ; with or without a running event loop of the caller's own."""

    async def prepare() -> Applied:
        applied = await apply_topics(layout.kafka_options, replication=min(3, len(layout.brokers) or 1))
        if layout.secure:
            await apply_acls(layout.kafka_options, withdraw=True)
        return applied

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(prepare())).result()
