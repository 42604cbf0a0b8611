"""The command: each benchmark is a program in bench/, run with this interpreter and the words given."""

import subprocess
import sys
from typing import NoReturn

import typer

from bellwether.home import repository_root

app = typer.Typer(no_args_is_help=True, add_completion=False)

PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True}


@app.callback()
def bench() -> None:
    """Measure the paths that must be fast, each beside its floor."""


@app.command(context_settings=PASS_ON, add_help_option=False)
def rescoring(context: typer.Context) -> None:
    """F1: how fast a scoring worker drains waiting evidence, beside its floor (--events --accounts --rounds)."""
    _run("rescoring", context)


@app.command(context_settings=PASS_ON, add_help_option=False)
def ingest(context: typer.Context) -> None:
    """F2, F3: activities in bulk beside COPY and one by one beside a bare route, cost by history, memory (--help)."""
    _run("ingest", context)


@app.command(context_settings=PASS_ON, add_help_option=False)
def reads(context: typer.Context) -> None:
    """F8: metrics read over two years of figures of 50,000 accounts, beside a bare route with one SELECT (--help)."""
    _run("reads", context)


@app.command(context_settings=PASS_ON, add_help_option=False)
def growth(context: typer.Context) -> None:
    """F5, F6: what an event costs beside short and long histories, and among few and many accounts (--help)."""
    _run("growth", context)


@app.command(context_settings=PASS_ON, add_help_option=False)
def timers(context: typer.Context) -> None:
    """F7: accounts that a scoring worker evaluates a second when a day has passed, beside its floor (--help)."""
    _run("timers", context)


@app.command(context_settings=PASS_ON, add_help_option=False)
def portfolio(context: typer.Context) -> None:
    """F8: the portfolio and the health of accounts among 50,000, beside a bare route with one SELECT (--help)."""
    _run("portfolio", context)


def _run(name: str, context: typer.Context) -> NoReturn:
    program = repository_root() / "bench" / f"{name}.py"
    command = [sys.executable, str(program), *context.args]
    raise typer.Exit(subprocess.run(command, check=False).returncode)  # noqa: S603 - our own interpreter and program
