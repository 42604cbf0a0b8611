"""Everything that can be set from outside, and nothing else: one frozen class, read when a process starts."""

from typing import Annotated

from pydantic import Field, UrlConstraints
from pydantic_core import Url

from bellwether_kit.settings import SealingSettings, ServiceSettings, service_config

MailServer = Annotated[Url, UrlConstraints(allowed_schemes=["smtp", "smtps"], host_required=True)]


class Settings(ServiceSettings, SealingSettings):
    """scoring-svc's settings: the kit's and its own, under the prefix ``BELLWETHER_SCORING_``."""

    model_config = service_config("BELLWETHER_SCORING_")

    private_channels: bool = Field(
        default=False, description="lets channels lead into private networks and use plain http; for sites of your own"
    )
    mail_server: MailServer | None = Field(
        default=None,
        repr=False,
        description="smtp://user:password@host:587 (STARTTLS where offered) or smtps://; unset, e-mail can't be sent",
    )
    mail_sender: str = Field(default="bellwether@localhost", description="the address e-mails come from")
    delivery_timeout: float = Field(default=5.0, gt=0, le=7, description="seconds a receiver has to answer")
    storm_alerts: int = Field(
        default=20,
        ge=1,
        description="alerts that may open or reopen in ten minutes, at least, before a tenant's further ones are held",
    )
    streams_per_tenant: int = Field(default=20, ge=1, description="live streams a tenant may hold open in a process")
