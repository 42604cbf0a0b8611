"""Everything that can be set from outside, and nothing else: one frozen class, read when a process starts."""

from cryptography.fernet import Fernet, MultiFernet
from pydantic import Field, HttpUrl, SecretStr, field_validator

from bellwether_kit.settings import ServiceSettings, service_config


class Settings(ServiceSettings):
    """metrics-svc's settings: the kit's and its own, under the prefix ``BELLWETHER_METRICS_``."""

    model_config = service_config("BELLWETHER_METRICS_")

    secret_keys: SecretStr | None = Field(
        default=None,
        description="Fernet keys, separated by commas, that seal the secrets of sources: the first seals, any opens",
    )
    public_url: HttpUrl | None = Field(
        default=None,
        description="where sources reach this API, as they sign it; unset, the address each request itself names",
    )

    @field_validator("secret_keys")
    @classmethod
    def _usable(cls, keys: SecretStr | None) -> SecretStr | None:
        """Refuse to start with a key that could seal nothing."""
        if keys is not None:
            _vault(keys)
        return keys

    @property
    def vault(self) -> MultiFernet | None:
        """What seals and opens secrets; None when no key is set."""
        return None if self.secret_keys is None else _vault(self.secret_keys)


def _vault(keys: SecretStr) -> MultiFernet:
    return MultiFernet([Fernet(key.strip()) for key in keys.get_secret_value().split(",")])
