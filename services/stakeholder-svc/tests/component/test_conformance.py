"""stakeholder-svc keeps what every service keeps."""

from bellwether_kit.testing.conformance import *  # noqa: F403
