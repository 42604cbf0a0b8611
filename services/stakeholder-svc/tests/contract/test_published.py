"""What stakeholder-svc says is what its examples show."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from bellwether_kit.events import Payload
from stakeholder_svc.published import PUBLISHED

EXAMPLES = Path(__file__).parents[4] / "shared/contracts/examples"


@pytest.mark.parametrize("name", ["typical", "smallest", "largest"])
@pytest.mark.parametrize("model", PUBLISHED, ids=lambda model: model.event_type)
def test_every_example_is_what_its_model_says(model: type[Payload], name: str) -> None:
    event: dict[str, Any] = msgspec.json.decode((EXAMPLES / model.event_type / f"{name}.json").read_bytes())
    said = msgspec.convert(event["data"], model)
    written = msgspec.json.decode(msgspec.json.encode(said))
    assert event["data"] == {field: written[field] for field in event["data"]}
    assert (model.event_type, event["data"]["account_id"]) == (event["type"], event["subject"])


@pytest.mark.parametrize("model", PUBLISHED, ids=lambda model: model.event_type)
def test_an_example_without_its_account_is_refused(model: type[Payload]) -> None:
    event: dict[str, Any] = msgspec.json.decode((EXAMPLES / model.event_type / "typical.json").read_bytes())
    del event["data"]["account_id"]
    with pytest.raises(msgspec.ValidationError, match="account_id"):
        msgspec.convert(event["data"], model)
