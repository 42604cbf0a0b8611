"""Domain events: what they look like, who listens to them, and how they travel from a transaction to a handler."""

from bellwether_kit.events.envelope import Event, Malformed, Received
from bellwether_kit.events.payload import Payload, UtcTime
from bellwether_kit.events.subscriptions import Decoder, Handler, Poison, Subscription, ignored

__all__ = [
    "Decoder",
    "Event",
    "Handler",
    "Malformed",
    "Payload",
    "Poison",
    "Received",
    "Subscription",
    "UtcTime",
    "ignored",
]
