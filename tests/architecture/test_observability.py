"""Alerts, scrape and dashboard: expressions parse and name what we export, and every alert has its runbook."""

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client import REGISTRY, CollectorRegistry, metrics

import bellwether_kit.metrics
from bellwether.stack.layout import DEFAULT_PORTS, SERVICES
from bellwether_kit.http.gate import HttpMetrics

Verdict = Callable[[Iterable[object]], None]
Document = dict[str, Any]

SEVERITIES = {"page", "ticket"}
SCRAPED = {"instance", "job", "service", "process"}
"""Labels that a scrape adds to every series."""
ENDINGS = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum"), "gauge": ("",), "info": ("_info",)}
RUNBOOK = Path("docs/operations/alerts.md")


@pytest.fixture(scope="module")
def exported() -> set[str]:
    """Return the names of all series that an API or a worker exports."""
    assert bellwether_kit.metrics.CONSUMED
    http = CollectorRegistry()
    HttpMetrics(http)
    families = [*REGISTRY.collect(), *http.collect()]
    return {"up"} | {family.name + end for family in families for end in ENDINGS.get(family.type, ("",))}


@pytest.fixture(scope="module")
def labels() -> set[str]:
    """Return the labels that our series have, and those that a scrape or Prometheus itself adds."""
    http = CollectorRegistry()
    made = [*vars(bellwether_kit.metrics).values(), *vars(HttpMetrics(http)).values()]
    ours = {label for each in made if isinstance(each, metrics.MetricWrapperBase) for label in each._labelnames}
    return ours | SCRAPED | {"le"}


@pytest.fixture(scope="module")
def alerts(root: Path) -> list[Document]:
    groups = yaml.safe_load((root / "deploy/observability/alerts.yaml").read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


@pytest.fixture(scope="module")
def dashboard(root: Path) -> Document:
    loaded: Document = json.loads((root / "deploy/observability/dashboard.json").read_text(encoding="utf-8"))
    return loaded


def selectors(expression: str) -> list[promql_parser.VectorSelector]:
    """Return what an expression looks at; raises ValueError where it does not parse."""
    found: list[promql_parser.VectorSelector] = []

    def seen(node: promql_parser.Expr) -> None:
        if isinstance(node, promql_parser.MatrixSelector):
            found.append(node.vector_selector)
        elif isinstance(node, promql_parser.VectorSelector):
            found.append(node)

    promql_parser.walk(promql_parser.parse(expression), seen)
    return found


def faults_of(expression: str, exported: set[str], labels: set[str]) -> Iterator[str]:
    """Yield what is wrong with an expression: it does not parse, or names what nobody exports."""
    try:
        looked_at = selectors(expression)
    except ValueError as error:
        yield f"{expression}: {error}"
        return
    if not looked_at:
        yield f"{expression}: it looks at nothing"
    yield from (f"{expression}: nothing exports {each.name}" for each in looked_at if each.name not in exported)
    named = {matcher.name for each in looked_at for matcher in each.matchers.matchers}
    named |= {name for grouped in re.findall(r"\bby \(([^)]*)\)", expression) for name in grouped.split(", ")}
    yield from (f"{expression}: no series has {name}" for name in sorted(named - labels))


def incomplete(rule: Mapping[str, Any], sections: set[str]) -> Iterator[str]:
    """Yield what an alert lacks: a severity, what to say, and a section of the runbook."""
    name = rule["alert"]
    if rule.get("labels", {}).get("severity") not in SEVERITIES:
        yield f"{name}: its severity is none of {', '.join(sorted(SEVERITIES))}"
    notes = rule.get("annotations", {})
    yield from (f"{name}: it has no {note}" for note in ("summary", "description") if not notes.get(note))
    if notes.get("runbook_url") != f"{RUNBOOK}#{name.lower()}":
        yield f"{name}: its runbook is not {RUNBOOK}#{name.lower()}"
    if name not in sections:
        yield f"{name}: {RUNBOOK} has no section `## {name}`"


@pytest.fixture(scope="module")
def sections(root: Path) -> set[str]:
    return set(re.findall(r"^## (Bellwether\w+)$", (root / RUNBOOK).read_text(encoding="utf-8"), re.MULTILINE))


def test_every_alert_reads_what_is_exported(
    alerts: list[Document], exported: set[str], labels: set[str], nothing: Verdict
) -> None:
    assert len({rule["alert"] for rule in alerts}) == len(alerts) > 10
    nothing(fault for rule in alerts for fault in faults_of(rule["expr"], exported, labels))


def test_every_alert_is_complete_and_every_section_has_its_alert(
    alerts: list[Document], sections: set[str], nothing: Verdict
) -> None:
    nothing(lack for rule in alerts for lack in incomplete(rule, sections))
    assert sections - {rule["alert"] for rule in alerts} == set()


def test_every_api_and_worker_is_scraped(root: Path) -> None:
    config = yaml.safe_load((root / "deploy/observability/prometheus.yaml").read_text(encoding="utf-8"))
    assert config["rule_files"] == ["alerts.yaml"]
    [job] = config["scrape_configs"]
    scraped = {
        f"{each['labels']['service']}-{each['labels']['process']}": each["targets"] for each in job["static_configs"]
    }
    processes = [f"{service}-{kind}" for service in SERVICES for kind in ("api", "worker")]
    assert scraped == {name: [f"127.0.0.1:{DEFAULT_PORTS[name]}"] for name in processes}
    assert job["job_name"] == "bellwether"


def test_the_dashboard_is_what_its_code_writes(root: Path, dashboard: Document) -> None:
    file = root / "deploy/observability/dashboard.py"
    spec = spec_from_file_location("observability_dashboard", file)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    assert json.loads(module.dashboard()) == dashboard, "run `make dashboard`"


def test_every_panel_reads_what_is_exported(
    dashboard: Document, exported: set[str], labels: set[str], nothing: Verdict
) -> None:
    panels = [panel for panel in dashboard["panels"] if panel["type"] != "row"]
    assert len(panels) > 10
    targets = [target["expr"] for panel in panels for target in panel["targets"]]
    nothing(fault for expression in targets for fault in faults_of(expression, exported, labels))


@pytest.mark.parametrize(
    ("expression", "complaint"),
    [
        ("sum by (service) (", "sum by"),
        ("bellwether_no_such_rows > 0", "nothing exports bellwether_no_such_rows"),
        ("rate(bellwether_consumed_records[5m])", "nothing exports bellwether_consumed_records"),
        ('up{colour="red"}', "no series has colour"),
        ("max by (colour) (up)", "no series has colour"),
        ("vector(1)", "it looks at nothing"),
    ],
)
def test_a_wrong_expression_is_seen(expression: str, complaint: str, exported: set[str], labels: set[str]) -> None:
    assert complaint in "; ".join(faults_of(expression, exported, labels))


def test_an_alert_that_lacks_something_is_seen() -> None:
    bare = {"alert": "BellwetherNew", "labels": {"severity": "loud"}, "annotations": {"summary": "x"}}
    lacks = [line.partition(": ")[2] for line in incomplete(bare, set())]
    assert [lack.partition(" is ")[0].partition(" has no ")[0] for lack in lacks] == [
        "its severity",
        "it",
        "its runbook",
        "docs/operations/alerts.md",
    ]
