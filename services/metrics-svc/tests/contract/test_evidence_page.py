"""docs/evidence.md says what the code says: written anew it is the same."""

import runpy
from pathlib import Path

from metrics_svc.evidence.rules import CATALOGUE

DOCS = Path(__file__).parents[4] / "docs"


def test_the_page_is_what_the_catalogue_and_the_rules_say() -> None:
    assert runpy.run_path(str(DOCS / "evidence_table.py"))["page"]() == (DOCS / "evidence.md").read_text()


def test_rules_and_signals_make_only_kinds_of_the_catalogue() -> None:
    paths = runpy.run_path(str(DOCS / "evidence_table.py"))["PATHS"]
    assert {code for made in paths.values() for code in made} <= CATALOGUE.keys()
