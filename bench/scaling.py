"""Scaling: the drain of `rescoring.py` by one, two and four scoring workers, which share the topic's 12 partitions.

Timed from when they share them until all is committed: how long they take to come to that is no question of throughput.
On a machine of a few cores it shows what sharing costs rather than what it gives: the broker and PostgreSQL are beside
the workers.
"""

import argparse
import asyncio

from draining import Measured, fill, scoring_workers
from results import keep
from stacks import running

from bellwether.stack import Stack

WORKERS = (1, 2, 4)


def shared(stack: Stack, total: int, workers: int) -> Measured:
    """So many workers together. Raises RuntimeError where all was done before they shared it."""
    with scoring_workers(stack, workers) as drain:
        first, began = asyncio.run(drain.until(1, members=workers))
        if first >= total:
            raise RuntimeError(f"{total} events are too few: {workers} workers did not come to share them")
        done, ended = asyncio.run(drain.until(total))
        return (done - first) / (ended - began), drain.held()


def main() -> None:
    """Run the rounds, print what each number of workers did, keep it beside the rows."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--events", type=int, default=100_000)
    options.add_argument("--accounts", type=int, default=5_000)
    options.add_argument("--rounds", type=int, default=1)
    given = options.parse_args()
    rates: dict[int, list[float]] = {workers: [] for workers in WORKERS}
    held: dict[int, list[list[float]]] = {workers: [] for workers in WORKERS}
    with running() as stack:
        asyncio.run(fill(stack.layout.kafka_bootstrap, given.events, given.accounts))
        for _ in range(given.rounds):
            for workers in WORKERS:
                rate, mib = shared(stack, given.events, workers)
                rates[workers].append(rate)
                held[workers].append(mib)
                print(f"{workers} workers: {rate:,.0f} events/s, {', '.join(f'{m:.0f}' for m in mib)} MiB", flush=True)
    keep("scaling", {}, **vars(given), rates=rates, memory=held)


if __name__ == "__main__":
    main()
