"""The sample service's worker, for tests that start it as a process of its own."""

from sample.service import SUBSCRIPTIONS, TIMERS, Settings

from bellwether_kit.worker import run_worker

if __name__ == "__main__":
    run_worker(Settings(), service="sample", subscriptions=SUBSCRIPTIONS, timers=TIMERS)
