"""`bellwether backtest`: holds scores of past dates against what then happened, of a tenant or of a file of orders."""

import os
import signal
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bellwether.backtests.ask import Question, backtest, keep
from bellwether.backtests.show import print_report
from bellwether.client import Client
from bellwether.evidence.histories import Format, read_history
from bellwether.evidence.replay import TOKEN_SECONDS, live_through, own_stack, progress
from bellwether.home import Home
from bellwether.replay import parse_span
from bellwether.stack.layout import Layout
from bellwether.tokens import TokenIssuer

app = typer.Typer(no_args_is_help=True, add_completion=False)

SERVICES = ("profile", "metrics", "scoring")
"""All that orders go through until they are a score."""
WIDE = 150
"""Columns of tables that go to a file."""


class LostBy(StrEnum):
    """What counts as lost."""

    SILENCE = "silence"
    OUTCOMES = "outcomes"


Dates = Annotated[
    list[datetime], typer.Option("--date", formats=["%Y-%m-%d"], help="A date to look back at; say it several times.")
]
Horizon = Annotated[int, typer.Option(help="Days within which a client is lost or not.")]
Fit = Annotated[bool, typer.Option(help="Propose weights, learnt from the first dates and tested on later ones.")]


@app.callback()
def main() -> None:
    """Hold scores of past dates against what then happened."""


@app.command()
def run(
    dates: Dates,
    tenant: Annotated[str | None, typer.Option(help="Whose; a token in BELLWETHER_TOKEN says it too.")] = None,
    url: Annotated[str | None, typer.Option(help="Where scoring-svc is, if not in the stack of this home.")] = None,
    horizon: Horizon = 90,
    lost_by: Annotated[LostBy, typer.Option(help="No act of the client's, or an outcome `churned`.")] = LostBy.SILENCE,
    act: Annotated[str | None, typer.Option(help="The one kind of act that counts, like order-placed.")] = None,
    min_acts: Annotated[int, typer.Option(min=1, help="Acts before a date, for an account to be looked at.")] = 5,
    scorecard: Annotated[str, typer.Option(help="The id of a scorecard, or `current`.")] = "current",
    fit: Fit = False,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the report there as JSON.")] = None,
    html_file: Annotated[Path | None, typer.Option("--html", help="Write the report there as a page.")] = None,
) -> None:
    """Backtest a tenant of a running deployment, and wait for the report.

    For a deployment elsewhere, BELLWETHER_TOKEN holds a bearer token of the tenant with the scope health:admin; for a
    local stack one is made.
    """
    home = Home.found()
    address = url.rstrip("/") if url else Layout.read(home).url("scoring")
    token = os.environ.get("BELLWETHER_TOKEN")
    if token is None:
        if tenant is None:
            raise typer.BadParameter("Say whose accounts: --tenant, or a token in BELLWETHER_TOKEN.")
        token = TokenIssuer(home).token(tenant, "health:admin")
    question = Question(_texts(dates), horizon, lost_by, act, min_acts, scorecard, fit)
    client = Client(lambda _service: address, token)
    _report(Console(), client, question, json_file, html_file)
    client.close()


@app.command()
def orders(
    file: Annotated[Path, typer.Argument(help="CSV as of `bellwether evidence replay`, like examples/orders.csv.")],
    dates: Dates,
    horizon: Horizon = 90,
    min_acts: Annotated[list[int], typer.Option(min=1, help="Orders before a date; each gives a report.")] = [5],  # noqa: B006
    fit: Fit = False,
    step: Annotated[str, typer.Option(help="How far the clock moves at a time: 1d, 12h, …")] = "1d",
    folder: Annotated[Path | None, typer.Option("--to", help="Write each report there, as JSON and as a page.")] = None,
) -> None:
    """Replay orders on a stack of their own, and backtest the scores that come of them; the stack is removed.

    A client is lost when it orders nothing within the horizon.
    """
    console, span = Console(), parse_span(step)
    history = read_history(file, Format.ORDERS)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that a stop from outside stops the stack too
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    question = Question(_texts(dates), horizon, act="order-placed", fit=fit)
    with own_stack(console, SERVICES) as stack:
        client = Client(stack.url, stack.token("replay", ttl=TOKEN_SECONDS))
        with progress(console, history) as moved:
            live_through(stack, client, history, span, moved)
        for least in min_acts:
            files = [None if folder is None else folder / f"backtest-{least}.{kind}" for kind in ("json", "html")]
            _report(console, client, replace(question, min_acts=least), *files)
        client.close()


def _report(
    console: Console, client: Client, question: Question, json_file: Path | None, html_file: Path | None
) -> None:
    with console.status("Looking back") as shown:
        found = backtest(client, question, shown.update)
    keep(client, found, json_file=json_file, html_file=html_file)
    print_report(console if console.is_terminal else Console(width=WIDE), found)


def _texts(dates: list[datetime]) -> list[str]:
    return [day.date().isoformat() for day in dates]
