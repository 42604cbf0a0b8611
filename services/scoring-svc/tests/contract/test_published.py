"""What this service says fits its own models."""

import json
from pathlib import Path

import msgspec
import pytest

from bellwether_kit.events import Payload
from scoring_svc.published import PUBLISHED

EXAMPLES = Path(__file__).parents[4] / "shared" / "contracts" / "examples"


@pytest.mark.parametrize("model", PUBLISHED, ids=lambda model: model.event_type)
@pytest.mark.parametrize("size", ["typical", "smallest", "largest"])
def test_every_published_example_is_what_the_model_says(model: type[Payload], size: str) -> None:
    data = json.loads((EXAMPLES / model.event_type / f"{size}.json").read_text())["data"]
    assert data == msgspec.to_builtins(msgspec.convert(data, model))
