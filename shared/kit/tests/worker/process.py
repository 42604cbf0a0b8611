"""The sample service's worker, for tests that start it as a process of its own."""

import os

from sample.service import SUBSCRIPTIONS, TIMERS, Settings

from bellwether_kit import worker
from bellwether_kit.worker import run_worker

if __name__ == "__main__":
    worker.CLEAN_EVERY_SECONDS = float(os.environ.get("CLEAN_EVERY_SECONDS", worker.CLEAN_EVERY_SECONDS))
    run_worker(Settings(), service="sample", subscriptions=SUBSCRIPTIONS, timers=TIMERS)
