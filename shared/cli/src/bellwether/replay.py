"""`bellwether clock`: shows and moves the time of a stack that was started with --clock. For the demo and tests."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from bellwether.errors import BellwetherError
from bellwether.home import Home
from bellwether.stack.layout import Layout
from bellwether_kit.clock import ReplayClock

app = typer.Typer(no_args_is_help=True, add_completion=False)

SPAN = re.compile(r"(\d+(?:\.\d+)?)([smhdw])")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class WrongTime(BellwetherError):
    """Not an instant with a zone, or not a span."""


class NoReplayClock(BellwetherError):
    """The running stack goes by the true time."""


@app.command()
def show() -> None:
    """Print the stack's time."""
    typer.echo(_clock().now().isoformat(timespec="seconds"))


@app.command("set")
def set_(instant: Annotated[str, typer.Argument(help="2026-03-02T09:00Z")]) -> None:
    """Make it that instant now."""
    clock = _clock()
    clock.set(parse_instant(instant))
    typer.echo(clock.now().isoformat(timespec="seconds"))


@app.command()
def advance(span: Annotated[str, typer.Argument(help="90m, 36h, 3d, 1d12h")]) -> None:
    """Move the time forward."""
    clock = _clock()
    clock.advance(parse_span(span))
    typer.echo(clock.now().isoformat(timespec="seconds"))


@app.command()
def reset() -> None:
    """Go back to the machine's time."""
    clock = _clock()
    clock.reset()
    typer.echo(clock.now().isoformat(timespec="seconds"))


def parse_instant(text: str) -> datetime:
    """An ISO 8601 instant, which must carry its zone, in UTC. Raises WrongTime."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise WrongTime(f"{text!r} is no instant: write it like 2026-03-02T09:00Z.") from error
    if instant.tzinfo is None:
        raise WrongTime(f"{text!r} names no time zone: write it like 2026-03-02T09:00Z.")
    return instant.astimezone(UTC)


def parse_span(text: str) -> timedelta:
    """A span like 90m or 1d12h. Raises WrongTime."""
    if not re.fullmatch(f"(?:{SPAN.pattern})+", text):
        raise WrongTime(f"{text!r} is no span: write it like 45s, 90m, 36h, 3d or 1d12h.")
    return sum((timedelta(**{UNITS[unit]: float(count)}) for count, unit in SPAN.findall(text)), timedelta())


def _clock() -> ReplayClock:
    home = Home.found()
    if not Layout.read(home).clock:
        raise NoReplayClock("This stack goes by the true time: start it with `bellwether up --clock` to move it.")
    return ReplayClock(home.clock)
