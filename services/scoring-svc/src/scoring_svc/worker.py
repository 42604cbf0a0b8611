"""The worker process: consumers, outbox relay and timers. The API is ``main.py``."""

import gc

from bellwether_kit.worker import run_worker
from scoring_svc.settings import Settings
from scoring_svc.subscriptions import SUBSCRIPTIONS, TIMERS


def run() -> None:
    """Work until told to stop."""
    # A batch makes some hundred thousand objects that die with it by their reference counts; with the default
    # thresholds the collector walks through them again and again, a fifth of the processor time of a drain.
    gc.freeze()
    gc.set_threshold(200_000, 10, 10)
    run_worker(Settings(), service="scoring", subscriptions=SUBSCRIPTIONS, timers=TIMERS)


if __name__ == "__main__":
    run()
