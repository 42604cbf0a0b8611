"""What a process can be told by its environment: frozen pydantic-settings mixins; nothing is read at import.

A variable with the service's prefix belongs to that service; BELLWETHER_KAFKA_BOOTSTRAP and such are shared.
"""

from pathlib import Path
from typing import Annotated, Literal

from cryptography.fernet import Fernet, MultiFernet
from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


def service_config(prefix: str) -> SettingsConfigDict:
    """Configuration of a service's Settings class; ``prefix`` is like ``BELLWETHER_METRICS_``."""
    return SettingsConfigDict(
        env_prefix=prefix, frozen=True, validate_by_name=True, validate_by_alias=True, extra="ignore"
    )


class DatabaseSettings(BaseSettings):
    """One PostgreSQL database, one role; each process gets its own role in the address."""

    database_url: str = Field(
        default="postgresql://127.0.0.1:5432/postgres",
        repr=False,
        description="postgresql://role@host:port/database",
    )
    pool_size: int = Field(default=10, ge=1, le=200, description="connections, at most")
    pool_timeout: float = Field(default=5.0, gt=0, description="seconds to wait for a connection")
    statement_timeout_ms: int = Field(default=10_000, ge=0)
    lock_timeout_ms: int = Field(default=5_000, ge=0)
    idle_in_transaction_timeout_ms: int = Field(default=30_000, ge=0)


class KafkaSettings(BaseSettings):
    """The broker; only workers speak to it."""

    kafka_bootstrap: str = Field(default="127.0.0.1:9092", validation_alias="BELLWETHER_KAFKA_BOOTSTRAP")
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        default="PLAINTEXT", validation_alias="BELLWETHER_KAFKA_SECURITY_PROTOCOL"
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = Field(
        default=None, validation_alias="BELLWETHER_KAFKA_SASL_MECHANISM"
    )
    kafka_sasl_username: str | None = Field(default=None, validation_alias="BELLWETHER_KAFKA_SASL_USERNAME")
    kafka_sasl_password: SecretStr | None = Field(default=None, validation_alias="BELLWETHER_KAFKA_SASL_PASSWORD")
    kafka_ca_file: Path | None = Field(
        default=None,
        validation_alias="BELLWETHER_KAFKA_CA_FILE",
        description="PEM file of the authority that signed the brokers' certificates; unset, those the system trusts",
    )
    kafka_session_timeout_ms: int = Field(
        default=10_000,
        ge=1_000,
        validation_alias="BELLWETHER_KAFKA_SESSION_TIMEOUT_MS",
        description="after which a worker that died without a word has its partitions given to others",
    )


class AuthSettings(BaseSettings):
    """Who may speak to us, and the secret that signs what we hand out."""

    jwks: str = Field(
        default=".bellwether/jwks.json",
        validation_alias="BELLWETHER_JWKS",
        description="file path or http(s) URL",
    )
    jwt_issuer: str = Field(default="bellwether-local", validation_alias="BELLWETHER_JWT_ISSUER")
    jwt_audience: str = Field(default="bellwether", validation_alias="BELLWETHER_JWT_AUDIENCE")
    cursor_key: SecretStr | None = Field(
        default=None,
        validation_alias="BELLWETHER_CURSOR_KEY",
        description="secret that signs cursors; unset, each process makes its own, which replicas cannot share",
    )


class ObservabilitySettings(BaseSettings):
    """What the process tells about itself, and the clock it goes by."""

    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", validation_alias="BELLWETHER_LOG_LEVEL"
    )
    otlp_endpoint: str | None = Field(default=None, validation_alias="BELLWETHER_OTLP_ENDPOINT")
    clock_file: Path | None = Field(default=None, validation_alias="BELLWETHER_CLOCK_FILE")


class HttpSettings(BaseSettings):
    """Limits of an API process."""

    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), validation_alias="BELLWETHER_CORS_ORIGINS", description="separated by commas"
    )
    body_limit: int = Field(default=1024 * 1024, gt=0, description="bytes of a request body")
    import_body_limit: int = Field(
        default=128 * 1024 * 1024, gt=0, description="bytes of a body that is read as a stream"
    )
    body_timeout: float = Field(
        default=30.0,
        gt=0,
        description="seconds in which a body, or the next part of a streamed one, must arrive or be taken",
    )
    nesting_limit: int = Field(default=20, ge=1, le=100, description="arrays and objects inside each other")
    rate_per_second: float = Field(default=1_000.0, gt=0, description="requests a tenant may make per second")
    rate_burst: int = Field(default=2_000, ge=1, description="requests a tenant may make at once")
    concurrency_limit: int = Field(default=200, ge=1, description="requests in hand before we answer 503")
    backlog_limit_seconds: float = Field(
        default=900.0, gt=0, description="age of the oldest unsent outbox row beyond which writes are shed"
    )
    backlog_check_seconds: float = Field(default=5.0, ge=0, description="how long one look at the outbox is believed")
    worker_host: str = Field(default="127.0.0.1", description="address of the worker's health routes")
    worker_port: int = Field(default=8200, ge=0, le=65_535, description="port of the worker's health routes")

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _separate(cls, value: object) -> object:
        """Take ``https://a.example, https://b.example`` as the environment gives it."""
        return tuple(part for part in value.replace(" ", "").split(",") if part) if isinstance(value, str) else value


class SealingSettings(BaseSettings):
    """The keys that seal the secrets a service keeps for others; for services that keep any."""

    secret_keys: SecretStr | None = Field(
        default=None,
        description="Fernet keys, separated by commas, that seal the secrets kept: the first seals, any opens",
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


class ServiceSettings(DatabaseSettings, KafkaSettings, AuthSettings, ObservabilitySettings, HttpSettings):
    """All that a service's two processes share; a service adds its own fields with defaults."""

    model_config = service_config("BELLWETHER_")
