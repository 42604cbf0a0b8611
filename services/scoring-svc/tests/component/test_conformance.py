"""What every service must keep, run on this one."""

from bellwether_kit.testing.conformance import *  # noqa: F403
