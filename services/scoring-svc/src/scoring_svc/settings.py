"""Everything that can be set from outside, and nothing else: one frozen class, read when a process starts."""

from bellwether_kit.settings import ServiceSettings, service_config


class Settings(ServiceSettings):
    """scoring-svc's settings: the kit's, under the prefix ``BELLWETHER_SCORING_``."""

    model_config = service_config("BELLWETHER_SCORING_")
