"""`bellwether`: the table of commands. Each is imported only when it is called, so that --help stays fast."""

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple

import typer

from bellwether.errors import BellwetherError


class Command(NamedTuple):
    """A name, where its function or Typer app is, and what --help says."""

    name: str
    target: str
    help: str


COMMANDS = (
    Command("up", "bellwether.stack.commands:up", "Start engines, databases, topics, five APIs and five workers."),
    Command("down", "bellwether.stack.commands:down", "Stop what `up` started; data stays."),
    Command("status", "bellwether.stack.commands:status", "Every process with URL, pid and health; every address."),
    Command("logs", "bellwether.stack.commands:logs", "What the processes said."),
    Command("migrate", "bellwether.stack.commands:migrate", "Make the databases and bring them to the newest form."),
    Command("topics", "bellwether.wire:topics", "Create the topics of shared/contracts, or compare them."),
    Command("tail", "bellwether.wire:tail", "Print the events of a topic as they come."),
    Command("kafka-tool", "bellwether.wire:kafka_tool", "Run one of Kafka's own tools: console-consumer, …"),
    Command("token", "bellwether.tokens:token", "Print a bearer token for a tenant of the local stack."),
    Command("clock", "bellwether.replay:app", "Show or move the time of a stack started with --clock."),
    Command("demo", "bellwether.demo.app:app", "A year of real orders, replayed, with the alerts they raise."),
    Command("evidence", "bellwether.evidence.app:app", "Replay a file's history; check evidence by deriving it anew."),
    Command("lag", "bellwether.operations.lag:lag", "What groups have to read, outboxes to send, and what is due."),
    Command("doctor", "bellwether.operations.doctor:doctor", "Look at everything, and say what to do."),
    Command("dlq", "bellwether.operations.dlq:app", "Records that could not be handled: look, try again, settle."),
    Command("rebuild", "bellwether.rebuild:app", "Derive anew what a service derived, from what it keeps."),
    Command("backtest", "bellwether.backtests.app:app", "Hold scores of past dates against what then happened."),
    Command("bench", "bellwether.bench.app:app", "Measure the paths that must be fast, each beside its floor."),
    Command(
        "contracts", "bellwether.contracts.app:app", "Schemas and the AsyncAPI document, from the services' models."
    ),
)


class CommandLine(typer.Typer):
    """Says an error of ours in one line on standard error and ends with exit code 1."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the command that the arguments name."""
        try:
            return super().__call__(*args, **kwargs)
        except BellwetherError as error:
            sys.stderr.write(f"bellwether: {error}\n")
            sys.exit(1)


app = CommandLine(
    help="Bellwether's local stack and tools.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _runner(command: Command) -> Callable[[typer.Context], None]:
    def run(context: typer.Context) -> None:
        module, _, attribute = command.target.partition(":")
        target = getattr(import_module(module), attribute)
        if not isinstance(target, typer.Typer):
            function = target
            target = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
            settings = getattr(function, "context_settings", None)
            target.command(help=command.help if function.__doc__ is None else None, context_settings=settings)(function)
        target(args=context.args, prog_name=f"bellwether {command.name}")

    return run


for each in COMMANDS:
    app.command(
        each.name,
        help=each.help,
        add_help_option=False,
        context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    )(_runner(each))


if __name__ == "__main__":
    app()
