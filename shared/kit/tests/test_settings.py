"""Where each setting comes from."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from bellwether_kit.events.kafka import connection_options
from bellwether_kit.settings import ServiceSettings, service_config


class Settings(ServiceSettings):
    model_config = service_config("BELLWETHER_SAMPLE_")
    window_days: int = 3


SHARED = {
    "BELLWETHER_KAFKA_BOOTSTRAP": "kafka_bootstrap",
    "BELLWETHER_JWKS": "jwks",
    "BELLWETHER_JWT_ISSUER": "jwt_issuer",
    "BELLWETHER_JWT_AUDIENCE": "jwt_audience",
    "BELLWETHER_OTLP_ENDPOINT": "otlp_endpoint",
}
OWN = {"BELLWETHER_SAMPLE_DATABASE_URL": "database_url"}


@pytest.mark.parametrize(("variable", "field"), (SHARED | OWN).items())
def test_each_variable_sets_its_field(monkeypatch: pytest.MonkeyPatch, variable: str, field: str) -> None:
    monkeypatch.setenv(variable, "given")
    assert getattr(Settings(), field) == "given"


def test_a_service_reads_its_own_prefix_and_nobody_elses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BELLWETHER_SAMPLE_WINDOW_DAYS", "7")
    monkeypatch.setenv("BELLWETHER_OTHER_WORKER_PORT", "1")
    monkeypatch.setenv("BELLWETHER_SAMPLE_WORKER_PORT", "8203")
    assert (Settings().window_days, Settings().worker_port) == (7, 8203)


def test_fields_are_set_by_name_too() -> None:
    made = Settings(jwks="k.json", cursor_key="secret", cors_origins=("https://a.example",), kafka_bootstrap="b:1")
    assert (made.jwks, made.cors_origins, made.kafka_bootstrap) == ("k.json", ("https://a.example",), "b:1")


def test_origins_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BELLWETHER_CORS_ORIGINS", "https://a.example, https://b.example,")
    assert Settings().cors_origins == ("https://a.example", "https://b.example")


def test_settings_are_frozen_and_hide_their_secrets() -> None:
    made = Settings(cursor_key="hush", database_url="postgresql://api:hush@db/x", kafka_sasl_password="hush")
    assert "hush" not in repr(made)
    with pytest.raises(ValidationError):
        made.jwks = "other"  # type: ignore[misc]


def test_brokers_are_believed_by_the_authority_that_is_named_and_no_other(tmp_path: Path) -> None:
    made = Settings(kafka_security_protocol="SSL", kafka_ca_file=tmp_path / "ca.pem")
    with pytest.raises(FileNotFoundError):
        connection_options(made)
    assert "ssl_context" in connection_options(Settings(kafka_security_protocol="SSL"))
    assert "ssl_context" not in connection_options(Settings(kafka_ca_file=tmp_path / "ca.pem"))


@pytest.mark.parametrize(
    "wrong", [{"log_level": "loud"}, {"pool_size": 0}, {"worker_port": 70_000}, {"body_limit": -1}, {"rate_burst": 0}]
)
def test_a_setting_that_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Settings(**wrong)  # type: ignore[arg-type]
