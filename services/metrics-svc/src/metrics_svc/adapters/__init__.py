"""The source systems we understand. A new one is a module here, its payloads, and its line in this table."""

from collections.abc import Mapping

from metrics_svc.adapters import (
    aircall,
    cloudevents,
    csv,
    google_calendar,
    hubspot,
    msgraph,
    pipedrive,
    salesforce,
    twilio,
)
from metrics_svc.inbound.rules import Adapter

_KNOWN: tuple[Adapter, ...] = (
    aircall.ADAPTER,
    cloudevents.ADAPTER,
    csv.ADAPTER,
    google_calendar.ADAPTER,
    hubspot.ADAPTER,
    msgraph.ADAPTER,
    pipedrive.ADAPTER,
    salesforce.ADAPTER,
    twilio.ADAPTER,
)

ADAPTERS: Mapping[str, Adapter] = {adapter.name: adapter for adapter in _KNOWN}
"""By the name in the address, ``/v1/inbound/{adapter}``."""
