"""The command: each benchmark is a program in bench/, run with this interpreter and the words given."""

import subprocess
import sys
from collections.abc import Callable

import typer

from bellwether.home import repository_root

app = typer.Typer(no_args_is_help=True, add_completion=False)

BENCHMARKS = {
    "suite": "All of them that have a goal: a table, results.json, a chart (--quick: small sizes, as a smoke test).",
    "rescoring": "F1: how fast a scoring worker drains evidence, beside its floor and a message at a time (--help).",
    "ingest": "F2, F3: activities in bulk beside COPY and one by one beside a bare route, by history, memory (--help).",
    "reads": "F8: metrics of two years of 50,000 accounts, beside a bare route with one SELECT (--help).",
    "growth": "F5, F6: what an event costs beside short and long histories, and among few and many accounts (--help).",
    "timers": "F7: accounts that a scoring worker evaluates a second when a day has passed, beside its floor (--help).",
    "scaling": "The drain of rescoring by 1, 2 and 4 scoring workers (--events --accounts --rounds).",
    "relay": "F9: events that the relay publishes a second, beside raw produce of the same bytes (--events --rounds).",
    "reaction": "F4, F10: from a post to its alert under a steady stream, by hops; memory, cold starts (--help).",
    "exports": "A million pieces of evidence over one connection, and memory meanwhile (--rows --rounds).",
    "portfolio": "F8: portfolio and health among 50,000 accounts, beside a bare route with one SELECT (--help).",
}
"""Programs of the folder, and what each measures."""

PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True}


@app.callback()
def bench() -> None:
    """Measure the paths that must be fast, each beside its floor."""


def _program(name: str) -> Callable[[typer.Context], None]:
    def run(context: typer.Context) -> None:
        program = repository_root() / "bench" / f"{name}.py"
        command = [sys.executable, str(program), *context.args]
        raise typer.Exit(subprocess.run(command, check=False).returncode)  # noqa: S603 - our own interpreter and program

    return run


for _name, _text in BENCHMARKS.items():
    app.command(_name, help=_text, context_settings=PASS_ON, add_help_option=False)(_program(_name))
