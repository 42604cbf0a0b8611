"""Everything that can be set from outside, and nothing else: one frozen class, read when a process starts."""

from pydantic import Field, HttpUrl

from bellwether_kit.settings import SealingSettings, ServiceSettings, service_config


class Settings(ServiceSettings, SealingSettings):
    """metrics-svc's settings: the kit's and its own, under the prefix ``BELLWETHER_METRICS_``."""

    model_config = service_config("BELLWETHER_METRICS_")

    public_url: HttpUrl | None = Field(
        default=None,
        description="where sources reach this API, as they sign it; unset, the address each request itself names",
    )
