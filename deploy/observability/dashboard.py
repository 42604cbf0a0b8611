"""Writes the Grafana dashboard, `dashboard.json`, anew: `make dashboard`."""

from pathlib import Path

from grafana_foundation_sdk.builders.dashboard import Dashboard, DatasourceVariable, QueryVariable, Row
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.builders.timeseries import Panel
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import DataSourceRef

FILE = Path(__file__).with_name("dashboard.json")
PROMETHEUS = DataSourceRef(type_val="prometheus", uid="${prometheus}")
CHOSEN = '{service=~"$service"}'

# Title, unit, legend, expression; `%` stands for the services that are chosen.
ROWS: dict[str, tuple[tuple[str, str, str, str], ...]] = {
    "Requests": (
        ("Requests", "reqps", "{{service}} {{status}}", "sum by (service, status) (rate(http_requests_total%[5m]))"),
        (
            "Time of 99 in 100 requests",
            "s",
            "{{service}}",
            "histogram_quantile(0.99, sum by (service, le) (rate(http_request_seconds_bucket%[5m])))",
        ),
        ("In hand", "short", "{{service}}", "sum by (service) (http_requests_in_flight%)"),
    ),
    "Events": (
        ("Published", "ops", "{{service}}", "sum by (service) (rate(bellwether_published_events_total%[5m]))"),
        ("Consumed", "ops", "{{service}}", "sum by (service) (rate(bellwether_consumed_records_total%[5m]))"),
        (
            "Time of 99 in 100 batches",
            "s",
            "{{service}}",
            "histogram_quantile(0.99, sum by (service, le) (rate(bellwether_batch_seconds_bucket%[5m])))",
        ),
    ),
    "What is left to do": (
        ("Age of the oldest unsent event", "s", "{{service}}", "max by (service) (bellwether_outbox_oldest_seconds%)"),
        ("Unsent events", "short", "{{service}}", "max by (service) (bellwether_outbox_unsent_rows%)"),
        ("Records to read", "short", "{{service}}", "sum by (service) (bellwether_consumer_lag_records%)"),
        ("Rows due", "short", "{{service}}", "max by (service) (bellwether_timers_due_rows%)"),
        ("Dead letters open", "short", "{{service}}", "max by (service) (bellwether_dead_letters_open_rows%)"),
        ("Timers fired", "ops", "{{timer}}", "sum by (timer) (rate(bellwether_timers_fired_total%[5m]))"),
    ),
    "Processes": (
        ("Answer a scrape", "short", "{{service}} {{process}}", "sum by (service, process) (up%)"),
        ("Engines reached", "short", "{{service}} {{engine}}", "min by (service, engine) (bellwether_reachable%)"),
        ("Workers that hold a relay", "short", "{{service}}", "sum by (service) (bellwether_relay_leads%)"),
        ("Event loop wakes late by", "s", "{{instance}}", "avg_over_time(bellwether_loop_lag_seconds%[5m])"),
        ("Memory", "bytes", "{{service}} {{process}}", "max by (service, process) (process_resident_memory_bytes%)"),
        ("Processor", "percentunit", "{{instance}}", "rate(process_cpu_seconds_total%[5m])"),
    ),
}


def dashboard() -> str:
    """The dashboard as Grafana imports it."""
    made = (
        Dashboard("Bellwether")
        .uid("bellwether")
        .tags(["bellwether"])
        .refresh("30s")
        .time("now-3h", "now")
        .with_variable(DatasourceVariable("prometheus").type("prometheus"))
        .with_variable(
            QueryVariable("service")
            .datasource(PROMETHEUS)
            .query("label_values(up, service)")
            .multi(True)
            .include_all(True)
        )
    )
    for title, panels in ROWS.items():
        made = made.with_row(Row(title))
        for each in panels:
            made = made.with_panel(_panel(*each))
    return JSONEncoder(sort_keys=True, indent=2).encode(made.build()) + "\n"


def _panel(title: str, unit: str, legend: str, expression: str) -> Panel:
    query = Dataquery().datasource(PROMETHEUS).expr(expression.replace("%", CHOSEN)).legend_format(legend)
    return Panel().title(title).unit(unit).datasource(PROMETHEUS).with_target(query).span(8).height(8).min(0)


if __name__ == "__main__":
    FILE.write_text(dashboard(), encoding="utf-8")
