"""The worker process: consumers, outbox relay and timers. The API is ``main.py``."""

from bellwether_kit.worker import run_worker
from scoring_svc.settings import Settings
from scoring_svc.subscriptions import SUBSCRIPTIONS, TIMERS


def run() -> None:
    """Work until told to stop."""
    run_worker(Settings(), service="scoring", subscriptions=SUBSCRIPTIONS, timers=TIMERS)


if __name__ == "__main__":
    run()
