"""Rescoring drain: a scoring worker against the floor, and against what takes message by message, in turn.

Ours and the floor drain all events, from process start to lag 0; message by message there is time for a slice only.
"""

import argparse
import asyncio
from collections.abc import Callable

from draining import Measured, fill, floor, ours, per_message
from results import keep
from stacks import running

from bellwether.stack import Stack


def main() -> None:
    """Run the rounds, print the rows, keep them."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--events", type=int, default=200_000)
    options.add_argument("--accounts", type=int, default=5_000)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument(
        "--per-message", type=int, default=2_000, help="events of the slice; it does some 200 a second"
    )
    given = options.parse_args()
    contestants: dict[str, tuple[Callable[[Stack, int], Measured], int]] = {
        "floor": (floor, given.events),
        "per message": (per_message, min(given.per_message, given.events)),
        "ours": (ours, given.events),
    }
    rates: dict[str, list[float]] = {name: [] for name in contestants}
    held: dict[str, list[float]] = {name: [] for name in contestants}
    with running() as stack:
        asyncio.run(fill(stack.layout.kafka_bootstrap, given.events, given.accounts))
        for _ in range(given.rounds):
            for name, (drain, count) in contestants.items():
                rate, mib = drain(stack, count)
                rates[name].append(rate)
                held[name] += mib
                print(f"{name}: {rate:,.0f} events/s, {mib[0]:.0f} MiB", flush=True)
    rows = {
        "F1": (rates["ours"], rates["floor"]),
        "F1 per message": (rates["ours"], rates["per message"]),
        "F10 worker after F1": (held["ours"], []),
    }
    keep("rescoring", rows, **vars(given), rates=rates, memory=held)


if __name__ == "__main__":
    main()
