"""The local stack: both engines, five APIs and five workers on this machine, under a supervisor."""

from bellwether.stack.stack import Stack

__all__ = ["Stack"]
