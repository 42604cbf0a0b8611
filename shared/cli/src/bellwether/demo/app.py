"""The command: start a stack of its own, replay the year, print what came of it, stop unless told to keep."""

import shutil
import signal
import time
from contextlib import suppress
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from bellwether.client import Client
from bellwether.demo.alerts import read_alerts
from bellwether.demo.replay import Seen, introduce, live_through
from bellwether.demo.report import print_report
from bellwether.demo.year import Year, read_year
from bellwether.errors import NotUp
from bellwether.home import Home, repository_root
from bellwether.stack import Stack

TENANT = "demo"

app = typer.Typer(add_completion=False)


@app.command()
def demo(keep: Annotated[bool, typer.Option("--keep", help="Leave the stack running afterwards.")] = False) -> None:
    """Replay a year of real orders and one client's story, and print the alerts they raise."""
    console = Console()
    began = time.monotonic()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that a stop from outside stops the stack too
    home = Home(Home.found().path / "demo")
    stack = Stack(home, any_port=True, clock=True)
    with suppress(NotUp):
        stack.stop()  # what an earlier `--keep` left
    shutil.rmtree(home.path, ignore_errors=True)
    year = read_year(repository_root() / "examples")
    with console.status("Starting the stack") as shown:
        stack.start(say=shown.update)
    try:
        client = Client(stack.url, stack.token(TENANT, ttl=7200))
        seen = _replay(console, stack, client, year)
        print_report(console, client, year, seen, read_alerts(stack.layout.kafka_options))
        client.close()
        console.print(f"\n{seen.posted:,} activities in {time.monotonic() - began:.0f} s, start-up included.")
        _where_next(console, stack, keep=keep)
    finally:
        if not keep:
            with console.status("Stopping"):
                stack.stop()


def _replay(console: Console, stack: Stack, client: Client, year: Year) -> Seen:
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[day]}"), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("Replaying", total=(year.end - year.start).days, day="accounts")
        seen = introduce(stack, client, year)
        live_through(
            stack,
            client,
            year,
            seen,
            lambda now: progress.update(task, completed=(now - year.start).days, day=f"{now:%d %b %Y}"),
        )
    return seen


def _where_next(console: Console, stack: Stack, *, keep: bool) -> None:
    console.print("\n[bold]Where to look next[/]")
    if not keep:
        console.print("  make demo KEEP=1               the same, and the stack stays up")
        console.print("  bellwether up --detach         an empty stack on the usual ports")
        console.print("  http://127.0.0.1:8104/docs     then: the APIs (8101 to 8105), and `bellwether token`")
        console.print("  bellwether tail account-alerts then: the alerts as they come")
        return
    for service in stack.layout.services:
        console.print(f"  {stack.url(service)}/docs   {service}-svc")
    home = f"BELLWETHER_HOME={stack.home.path}"
    console.print(f"  {home} bellwether tail account-alerts --from-beginning")
    console.print(f"  {home} bellwether down")
