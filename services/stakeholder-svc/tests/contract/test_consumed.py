"""Every example of every event that stakeholder-svc hears is understood, twice, and in any order."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from stakeholder_svc.subscriptions import SUBSCRIPTIONS

EXAMPLES = Path(__file__).parents[4] / "shared/contracts/examples"
HEARD = {row.type: row.topic for row in SUBSCRIPTIONS}
FILES = [path for type_ in sorted(HEARD) for path in sorted((EXAMPLES / type_).glob("*.json"))]


def records(mailbox: Any, files: list[Path]) -> list[Any]:
    found = []
    for path in files:
        key = msgspec.json.decode(path.read_bytes())["partitionkey"]
        found.append(mailbox.record(HEARD[path.parent.name], path.read_bytes(), key=key))
    return found


def state(admin: Any) -> dict[str, list[Any]]:
    tables = ("account", "account_external_id", "person", "erased_person", "coverage", "outbox")
    return {table: admin(f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables}


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
async def test_an_example_is_handled_and_a_repeat_changes_nothing(mailbox: Any, admin: Any, path: Path) -> None:
    given = records(mailbox, [path])
    assert await mailbox.process(*given) == 0
    once = state(admin)
    assert await mailbox.process(*given) == 0
    assert once == state(admin)


async def test_all_examples_are_handled_in_both_directions(mailbox: Any, admin: Any) -> None:
    given = records(mailbox, FILES)
    assert await mailbox.process(*given) == 0
    once = state(admin)
    assert await mailbox.process(*reversed(given)) == 0
    assert once == state(admin)
