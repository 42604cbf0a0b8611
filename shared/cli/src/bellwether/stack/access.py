"""Who may speak to a stack's own Kafka once it is locked: the home's authority, and a password for each user."""

from pathlib import Path

from bellwether.engines.certificates import certify
from bellwether.engines.kafka import Locks
from bellwether.home import Home

ADMINISTRATOR = "admin"
"""May do all: makes topics and rules, and reads for the people at this machine."""
BROKER = "broker"


def _folder(home: Home) -> Path:
    return home.path / "kafka-access"


def locks(home: Home, services: tuple[str, ...]) -> Locks:
    """What the home's brokers need, made when it is not there yet; a user for each service, named like it."""
    keystore = certify(_folder(home), BROKER)
    users = (*services, ADMINISTRATOR, BROKER)
    passwords = {user: _password(home, user) for user in users}
    return Locks(keystore, _folder(home) / "ca.pem", passwords, BROKER, ADMINISTRATOR)


def variables(home: Home, user: str) -> dict[str, str]:
    """What a process is told so that it can log in as the user."""
    return {
        "BELLWETHER_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "BELLWETHER_KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
        "BELLWETHER_KAFKA_SASL_USERNAME": user,
        "BELLWETHER_KAFKA_SASL_PASSWORD": _password(home, user),
        "BELLWETHER_KAFKA_CA_FILE": str(_folder(home) / "ca.pem"),
    }


def _password(home: Home, user: str) -> str:
    return home.secret(f"{_folder(home).name}/{user}-password")
