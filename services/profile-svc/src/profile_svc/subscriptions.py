"""What follows from what: each event type we hear and the handler that reacts."""

from bellwether_kit.events import Subscription, ignored
from bellwether_kit.timers import Timer
from profile_svc.consumed import HealthChanged
from profile_svc.health.handlers import project_health

SUBSCRIPTIONS: tuple[Subscription, ...] = (
    # The projection keeps the highest sequence of each account, so a repeat can't change it.
    Subscription("account-scores", "account.health.changed.v1", HealthChanged, project_health, inbox=False),
    ignored("client-metrics", "client.metric.measured.v1"),
    ignored("client-metrics", "client.touch.recorded.v1"),
    ignored("client-metrics", "source.feed.silenced.v1"),
    ignored("client-metrics", "source.feed.resumed.v1"),
)

TIMERS: tuple[Timer, ...] = ()
