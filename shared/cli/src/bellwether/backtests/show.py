"""A backtest's report as tables on a terminal."""

from typing import Any

from rich.console import Console
from rich.table import Table

Body = dict[str, Any]

SAID = {"yes": "beaten", "no": "better than the scorecard", "undecided": "can't be told apart", None: ""}


def print_report(console: Console, found: Body) -> None:
    """Print what a backtest found: all dates together, each date, and the fit."""
    report = found["report"]
    lost = "churned" if found["lost_by"] == "outcomes" else "silent"
    console.print(
        f"Accounts with {found['min_acts']} or more {found['act'] or 'acts'}, lost: {lost} for {found['horizon_days']} "
        f"days; AUC with 95 % interval"
    )
    _print_part(console, "all dates", report["pooled"])
    console.print(_by_date(report["dates"]))
    if report["fit"] is not None:
        _print_fit(console, report["fit"])


def _print_part(console: Console, title: str, part: Body) -> None:
    counts = f"{title}: {part['cases']:,} cases of {part['accounts']:,} accounts, {part['lost']:,} lost"
    if part["inconclusive"] is not None:
        console.print(f"{counts}. No conclusion: {part['inconclusive']}.")
        return
    table = Table(title=counts, title_justify="left")
    for name in ("ranking", "AUC", "mean", "difference", "lift@10 %", "prec@10", "prec@50", "Brier", "of rate", ""):
        table.add_column(name, justify="left" if name in {"ranking", ""} else "right")
    for ranking in part["rankings"]:
        verdict, ahead = ranking["verdict"], ranking["advantage"]
        table.add_row(
            ranking["name"],
            _interval(verdict["auc"]),
            _number(ranking["mean_auc"], ".3f"),
            "" if ahead is None else _interval(ahead, "+.3f"),
            _number(verdict["lift_at_tenth"], ".2f"),
            _number(verdict["precision_at"].get("10"), ".2f"),
            _number(verdict["precision_at"].get("50"), ".2f"),
            _number(verdict["brier"], ".4f"),
            _number(verdict["brier_of_base_rate"], ".4f"),
            verdict["inconclusive"] or SAID[ranking["is_beaten"]],
        )
    console.print(table)


def _by_date(parts: list[Body]) -> Table:
    names = list(dict.fromkeys(ranking["name"] for part in parts for ranking in part["rankings"]))
    table = Table(title="date by date", title_justify="left")
    for name in ("date", "cases", "lost", *names, ""):
        table.add_column(name, justify="left" if name in {"date", ""} else "right")
    for part in parts:
        aucs = {ranking["name"]: _interval(ranking["verdict"]["auc"]) for ranking in part["rankings"]}
        counts = (str(part["day"]), f"{part['cases']:,}", f"{part['lost']:,}")
        table.add_row(*counts, *(aucs.get(name, "") for name in names), part["inconclusive"] or "")
    return table


def _print_fit(console: Console, fit: Body) -> None:
    learnt = f"Fit: learnt from {', '.join(fit['learnt_from'])}: {fit['cases']:,} cases, {fit['lost']:,} lost."
    if fit["refused"] is not None:
        console.print(f"{learnt} No proposal: {fit['refused']}.")
        return
    console.print(f"{learnt} Draft version {fit['draft_version']}:")
    for change in fit["changes"]:
        console.print(f"  {change['of']} {change['name']}: {change['before']:g} → {change['after']:g}")
    _print_part(console, f"tested on {', '.join(fit['tested_on'])}", fit["tested"])


def _interval(estimate: Body, form: str = ".3f") -> str:
    return f"{estimate['value']:{form}} {estimate['low']:{form}}…{estimate['high']:{form}}"


def _number(value: float | None, form: str) -> str:
    return "" if value is None else f"{value:{form}}"
