"""docs/scoring.md says what the code says: written anew it is the same."""

import runpy
from pathlib import Path
from typing import Any

import pytest

from scoring_svc.alert_rules.rules import DEFAULT_RULES
from scoring_svc.scorecards.rules import DEFAULT

DOCS = Path(__file__).parents[4] / "docs"


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    return runpy.run_path(str(DOCS / "scoring_table.py"))


def test_the_page_is_what_the_scorecard_and_the_rules_say(script: dict[str, Any]) -> None:
    assert script["page"]() == (DOCS / "scoring.md").read_text(), "run `make scoring-table` and read the diff"


def test_every_kind_measure_and_rule_is_on_the_page(script: dict[str, Any]) -> None:
    text = script["page"]()
    missing = [name for name in (*DEFAULT.kind_weights, *DEFAULT_RULES) if f"| `{name}` |" not in text]
    assert missing == []
