"""The service's settings as its own tests need them: a key to seal with, and receivers on this machine."""

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import SecretStr

SEALING_KEY = "dGVzdC1vbmx5LXRlc3Qtb25seS10ZXN0LW9ubHktMTI="


@pytest.fixture
def settings_as(settings_as: Callable[..., Any]) -> Callable[..., Any]:
    """``settings_as("api")`` with what channels need besides."""
    own = {
        "secret_keys": SecretStr(SEALING_KEY),
        "private_channels": True,
        "mail_server": "smtp://127.0.0.1:1",
        "delivery_timeout": 0.5,
    }
    return lambda role, **more: settings_as(role, **(own | more))
