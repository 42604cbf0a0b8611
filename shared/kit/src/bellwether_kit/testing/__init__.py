"""What a service's tests call: a fresh migrated database per test, real batch processing, a client, a clock."""

from bellwether_kit.testing.eventually import eventually
from bellwether_kit.testing.service import Outgoing, ServiceUnderTest

__all__ = ["Outgoing", "ServiceUnderTest", "eventually"]
