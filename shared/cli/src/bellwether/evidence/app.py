"""`bellwether evidence`: replay a file's history on a stack of its own, and check a tenant's evidence."""

import os
import signal
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bellwether.client import Client
from bellwether.evidence.check import compare, print_comparison
from bellwether.evidence.histories import Format, read_history
from bellwether.evidence.replay import SERVICES, TOKEN_SECONDS, live_through, own_stack, progress
from bellwether.home import Home
from bellwether.replay import parse_span
from bellwether.stack.layout import Layout
from bellwether.tokens import TokenIssuer

app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.command()
def check(
    tenant: Annotated[str | None, typer.Option(help="Whose evidence; a token in BELLWETHER_TOKEN says it too.")] = None,
    url: Annotated[str | None, typer.Option(help="Where metrics-svc is, if not in the stack of this home.")] = None,
) -> None:
    """Derive everything anew from the activities and compare it with what is on record. Nothing is written.

    Ends with 1 when they differ, or when an account could not be compared. For a deployment elsewhere,
    BELLWETHER_TOKEN holds a bearer token with the scope evidence:admin; for a local stack one is made.
    """
    home = Home.found()
    address = url.rstrip("/") if url else Layout.read(home).url("metrics")
    token = os.environ.get("BELLWETHER_TOKEN")
    if token is None:
        if tenant is None:
            raise typer.BadParameter("Say whose evidence: --tenant, or a token in BELLWETHER_TOKEN.")
        token = TokenIssuer(home).token(tenant, "evidence:admin")
    _check(Console(), Client(lambda _service: address, token))


@app.command()
def replay(
    file: Annotated[Path, typer.Argument(help="For instance examples/orders.csv.")],
    format_: Annotated[Format, typer.Option("--format", help="What its lines are.")] = Format.ORDERS,
    tenant: Annotated[str, typer.Option(help="Whose clients they are.")] = "replay",
    limit: Annotated[int | None, typer.Option(min=1, help="Only so many lines of it.")] = None,
    step: Annotated[str, typer.Option(help="How far the clock moves at a time: 1d, 12h, …")] = "1d",
) -> None:
    """Replay a file as activities on a stack of its own, and check the evidence that came of it.

    `orders` is CSV with the columns time, customer, invoice, amount_gbp, country and perhaps kind (order or
    cancellation). `messages` has a line "from to unix-seconds" each: every pair of people is one client, who wrote
    first is ours and always asks for a reply. Both may be gzip. The stack is removed afterwards.
    """
    console, began, span = Console(), time.monotonic(), parse_span(step)
    history = read_history(file, format_, limit)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that a stop from outside stops the stack too
    with own_stack(console, SERVICES) as stack:
        client = Client(stack.url, stack.token(tenant, ttl=TOKEN_SECONDS))
        with progress(console, history) as moved:
            live_through(stack, client, history, span, moved)
        console.print(f"{len(history.happened):,} activities replayed in {time.monotonic() - began:.0f} s")
        _check(console, client)


def _check(console: Console, client: Client) -> None:
    with console.status("Deriving anew"):
        found = compare(client)
    client.close()
    print_comparison(console, found)
    raise typer.Exit(0 if found.proves else 1)
