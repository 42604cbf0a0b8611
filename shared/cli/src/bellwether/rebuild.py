"""`bellwether rebuild`: throw away what a service derived and derive it anew from what it keeps."""

import os
import time
from collections.abc import Callable
from typing import Annotated

import typer
from rich.console import Console

from bellwether.client import Client
from bellwether.errors import BellwetherError
from bellwether.home import Home
from bellwether.stack.layout import Layout
from bellwether.tokens import TokenIssuer

app = typer.Typer(no_args_is_help=True, add_completion=False)

PAUSE = 0.5


@app.callback()
def rebuild() -> None:
    """Throw away what a service derived and derive it anew from what it keeps."""


@app.command()
def scoring(
    tenant: Annotated[list[str] | None, typer.Option(help="Whose accounts; may be said several times.")] = None,
    url: Annotated[str | None, typer.Option(help="Where scoring-svc is, if not in the stack of this home.")] = None,
) -> None:
    """Sum balances and memory of every account anew from the ledger of evidence; scores stay what they are.

    The worker does it page by page while all else goes on; it may be stopped and started. For a deployment elsewhere,
    BELLWETHER_TOKEN holds a bearer token of the tenant with the scope health:admin; for a local stack one is made.
    """
    home, console = Home.found(), Console()
    address = url.rstrip("/") if url else Layout.read(home).url("scoring")
    given = os.environ.get("BELLWETHER_TOKEN")
    if given is None and not tenant:
        raise typer.BadParameter("Say whose accounts: --tenant, or a token in BELLWETHER_TOKEN.")
    tokens = {"": given} if given else {name: TokenIssuer(home).token(name, "health:admin") for name in tenant or ()}
    for name, token in tokens.items():
        client = Client(lambda _service: address, token)
        with console.status(f"Rebuilding {name}") as shown:
            accounts = derive_anew(client, shown.update)
        client.close()
        console.print(f"{name} {accounts:,} accounts derived anew".strip())


def derive_anew(client: Client, say: Callable[[str], None], pause: float = PAUSE) -> int:
    """Ask for a rebuild and wait until its run is over; gives how many accounts there were."""
    run = client.ask("scoring", "health/rebuild", {})
    while run["state"] == "running":
        say(f"{run['looked_at']:,} of {run['accounts']:,} accounts")
        time.sleep(pause)
        run = client.get("scoring", f"rescoring-runs/{run['id']}")
    if run["state"] != "done":
        raise BellwetherError(f"The rebuild was {run['state']} by {run['ended_by']}.")
    return int(run["rescored"])
