"""What an event says: the base of the wire models that producers publish, and the time type they share."""

from datetime import datetime
from typing import Annotated, ClassVar

import msgspec

UtcTime = Annotated[datetime, msgspec.Meta(tz=True, description="RFC 3339 time in UTC")]
"""An aware time on the wire."""


class Payload(msgspec.Struct, frozen=True, kw_only=True):
    """The ``data`` of one published event type; a subclass is the definition of that type's contract."""

    topic: ClassVar[str]
    event_type: ClassVar[str]
