"""Everything that can be set from outside, and nothing else. What a tenant sets is in the database."""

from bellwether_kit.settings import ServiceSettings, service_config


class Settings(ServiceSettings):
    """The settings of both processes."""

    model_config = service_config("BELLWETHER_STAKEHOLDER_")
