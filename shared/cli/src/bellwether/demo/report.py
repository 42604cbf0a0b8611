"""What the demo prints at its end: the portfolio, the alerts with their reasons, and whether the warnings came true."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from rich.console import Console
from rich.table import Table

from bellwether.client import Client
from bellwether.demo.alerts import AlertStory
from bellwether.demo.replay import Seen
from bellwether.demo.year import Year

BARS = "▁▂▃▄▅▆▇█"
COLOURS = {"healthy": "green", "watch": "yellow", "at-risk": "red", "unknown": "dim"}
DIMENSIONS = {"heart", "mind", "wallet"}
JUDGED_DAYS = 90
SHOWN = 12


def sparkline(values: list[float | None]) -> str:
    """Scores from 0 to 100 as a line of bars; a blank where there was no score."""
    return "".join(" " if v is None else BARS[min(7, int(v / 12.5))] for v in values)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many customers were warned about at the cut-off, how many were not, and how many of each stopped."""

    cut_off: datetime
    warned: int
    warned_stopped: int
    others: int
    others_stopped: int


def judge(year: Year, seen: Seen, alerts: list[AlertStory]) -> Verdict:
    """Warned: an unresolved at-risk alert 90 days before the end. Stopped: not one order in those 90 days."""
    cut_off = year.end - timedelta(days=JUDGED_DAYS)
    warned = {a.account_id for a in alerts if a.kind == "at-risk" and a.is_open_at(cut_off)} & seen.customers.keys()
    stopped = {id_ for id_, customer in seen.customers.items() if max(year.orders[customer]) < cut_off}
    others = seen.customers.keys() - warned
    return Verdict(cut_off, len(warned), len(warned & stopped), len(others), len(others & stopped))


def print_report(console: Console, client: Client, year: Year, seen: Seen, alerts: list[AlertStory]) -> None:
    """All of it, in reading order; ``client`` is asked what drives the scores that are shown."""
    _portfolio(console, client, year, seen)
    _story(console, year, seen, alerts)
    _customers(console, year, seen, alerts)
    _verdict(console, judge(year, seen, alerts))


def _portfolio(console: Console, client: Client, year: Year, seen: Seen) -> None:
    bands = Counter(item["band"] for item in seen.portfolio.values())
    said = ", ".join(f"[{COLOURS[band]}]{count} {band}[/]" for band, count in bands.most_common())
    console.print(f"\n[bold]Portfolio on {year.end:%d %B %Y}[/]: {len(seen.portfolio)} accounts, {said}")
    ranked = sorted(seen.portfolio.values(), key=lambda item: item["score"])
    half = SHOWN // 2
    shown = [*ranked[:half], *ranked[-half:]]
    shown += [i for i in ranked if seen.names.get(i["account_id"]) == year.story and i not in shown]
    table = Table("account", "score", "band", "since the start", "top driver", header_style="bold")
    for item in shown:
        table.add_row(
            seen.names.get(item["account_id"], item["account_id"]),
            f"{item['score']:.0f}",
            f"[{COLOURS[item['band']]}]{item['band']}",
            sparkline(seen.trends.get(item["account_id"], [])),
            top_driver(client.get("scoring", f"accounts/{item['account_id']}/health/explanation")),
        )
    console.print(table)


def top_driver(explanation: dict[str, Any]) -> str:
    """What moves the score most: a piece of evidence, or a measure that rests on no single piece."""
    measures = [m for m in explanation["measures"] if m["measure"] not in DIMENSIONS]
    named = [(m["points"], m["measure"]) for m in measures] + [
        (e["points"], e["kind"]) for e in explanation["evidence"]
    ]
    points, name = max(named, key=lambda pair: abs(pair[0]), default=(0.0, "nothing yet"))
    return f"{name} {points:+.1f}"


def _story(console: Console, year: Year, seen: Seen, alerts: list[AlertStory]) -> None:
    console.print(f"\n[bold]{year.story}[/]: the alerts as they opened and resolved, with their reasons")
    for alert in alerts:
        if seen.names.get(alert.account_id) == year.story:
            for at, what, data in turns(alert):
                rules = ", ".join(reason["rule"] for reason in data["reasons"])
                console.print(
                    f"  {at:%d %b}  [bold]{what:<9}[/] {data['summary']}" + (f"  [dim]{rules}[/]" if rules else "")
                )
                if what == "opened":
                    drivers = ", ".join(f"{d['kind']} {d['points']:+.1f}" for d in data["drivers"][:3])
                    console.print(
                        f"                    [dim]because of {drivers}; suggested: {data['suggested_play']}[/]"
                    )


def turns(alert: AlertStory) -> list[tuple[datetime, str, dict[str, Any]]]:
    """The steps at which an alert changed its state or its set of reasons."""
    kept: list[tuple[datetime, str, dict[str, Any]]] = []
    for step in alert.steps:
        rules = {reason["rule"] for reason in step[2]["reasons"]}
        if step[1] != "updated" or not kept or rules != {reason["rule"] for reason in kept[-1][2]["reasons"]}:
            kept.append(step)
    return kept


def _customers(console: Console, year: Year, seen: Seen, alerts: list[AlertStory]) -> None:
    steps = Counter(what for alert in alerts for _, what, _ in alert.steps)
    console.print(
        f"\n[bold]All alerts[/]: {len(alerts)} on {len({a.account_id for a in alerts})} accounts;"
        f" {steps['opened']} opened, {steps['reopened']} reopened, {steps['resolved']} resolved"
    )
    cut_off = year.end - timedelta(days=JUDGED_DAYS)
    table = Table("warned about", "opened", "reasons when opened", "last order", header_style="bold")
    warned = [a for a in alerts if a.kind == "at-risk" and a.is_open_at(cut_off) and a.account_id in seen.customers]
    for alert in warned[:SHOWN]:
        last = max(year.orders[seen.customers[alert.account_id]])
        rules = ", ".join(reason["rule"] for reason in alert.steps[0][2]["reasons"])
        ended = " [red]stopped[/]" if last < cut_off else ""
        table.add_row(seen.names[alert.account_id], f"{alert.opened_at:%d %b}", rules, f"{last:%d %b}{ended}")
    console.print(table)
    if len(warned) > SHOWN:
        console.print(f"  … and {len(warned) - SHOWN} more")


def _verdict(console: Console, verdict: Verdict) -> None:
    console.print(
        f"\n[bold]Were the warnings right?[/] On {verdict.cut_off:%d %B %Y}, {verdict.warned} of"
        f" {verdict.warned + verdict.others} customers had an open at-risk alert."
    )
    for who, stopped, count in (
        ("Of those warned about", verdict.warned_stopped, verdict.warned),
        ("Of the others", verdict.others_stopped, verdict.others),
    ):
        share = f" ({stopped / count:.0%})" if count else ""
        console.print(f"  {who}, {stopped} of {count}{share} ordered nothing in the following {JUDGED_DAYS} days.")
