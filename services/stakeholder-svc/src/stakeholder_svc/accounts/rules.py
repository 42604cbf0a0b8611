"""How source systems name accounts, and people too. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, order=True, slots=True)
class ExternalId:
    """The name of a person or an account in a source system: unique within the tenant."""

    source: str
    external_id: str
