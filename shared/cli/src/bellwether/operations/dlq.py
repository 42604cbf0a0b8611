"""`bellwether dlq`: look at dead letters, have them tried again, settle those that nobody wants."""

import json
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from bellwether.operations.databases import clock, database_urls
from bellwether.operations.letters import (
    OPEN_STATES,
    STATES,
    Letters,
    UnknownLetter,
    Wanted,
    letters,
    readable,
    user,
    whole,
)
from bellwether_kit.events.replays import Ask

app = typer.Typer(no_args_is_help=True, add_completion=False)

WAIT_SECONDS = 60.0

Service = Annotated[str | None, typer.Option(help="Only of this service: profile, metrics, …")]
Topic = Annotated[str | None, typer.Option(help="Only records of this topic.")]
Type = Annotated[str | None, typer.Option("--type", help="Only events of this type.")]
State = Annotated[list[str] | None, typer.Option(help=f"{', '.join(STATES)}; may be said several times.")]
Ids = Annotated[list[UUID] | None, typer.Argument(help="Dead letters, by the ids that `list` shows.", show_default="")]
All = Annotated[bool, typer.Option("--all", help="All open ones to which the filters apply.")]
Reason = Annotated[str, typer.Option(help="Why; kept with each dead letter.")]
By = Annotated[str | None, typer.Option(help="Who asks; the user of this machine when left out.")]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


@app.callback()
def _dlq() -> None:
    """Look at records that could not be handled, and have them tried again once what was wrong is mended.

    In the databases of the running stack, or those that BELLWETHER_<SERVICE>_DATABASE_URL name (the worker's role).
    """


@app.command("list")
def list_(
    service: Service = None, topic: Topic = None, type_: Type = None, state: State = None, as_json: AsJson = False
) -> None:
    """Print dead letters, oldest first."""
    found = letters(database_urls(service), Wanted(topic, type_, _states(state)))
    if as_json:
        typer.echo(json.dumps([asdict(letter) for letter in found], indent=2, default=str))
        return
    whole_id = Column("id", min_width=36)  # it is what one gives to `show` and `replay`
    table = Table(whole_id, "service", "record", "type", "error", "received", "state", "tries", box=None)
    for each in found:
        record = f"{each.topic}/{each.partition}@{each.offset}"
        error = escape(f"{each.error_type}: {each.error}"[:60])
        received = each.received_at.isoformat(timespec="seconds")
        table.add_row(
            str(each.id), each.service, record, escape(each.type), error, received, each.state, str(each.tries)
        )
    Console(soft_wrap=True).print(table)
    typer.echo(f"{len(found)} dead letters")


@app.command()
def show(id_: Annotated[UUID, typer.Argument(metavar="ID")], as_json: AsJson = False) -> None:
    """Print one dead letter whole: headers, key, value, error, and every try."""
    service, row = whole(database_urls(), id_)
    row |= {"service": service, "key": readable(row["key"]), "value": readable(row["value"])}
    if as_json:
        typer.echo(json.dumps(row, indent=2, default=str))
        return
    for name in ("id", "service", "state", "topic", "partition", "offset", "timestamp", "received_at", "type"):
        typer.echo(f"{name:<12} {row[name]}")
    typer.echo(f"{'error':<12} {row['error_type']}: {row['error']}")
    for name, value in row["headers"].items():
        typer.echo(f"{'header':<12} {name}: {value}")
    typer.echo(f"{'key':<12} {row['key']}\nvalue\n{row['value']}")
    for each in row["replays"]:
        typer.echo(f"{'try':<12} {each['ended_at']} {each['outcome']}: {_told(each)}")
    if row["state"] == "waiting":
        typer.echo(f"{'due':<12} {row['replay_due_at']}, by {row['replay_asked_by']}: {row['replay_reason']}")


@app.command()
def replay(
    reason: Reason,
    ids: Ids = None,
    every: All = False,
    service: Service = None,
    topic: Topic = None,
    type_: Type = None,
    state: State = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="The worker tries and undoes it.")] = False,
    rate: Annotated[float | None, typer.Option(min=0.001, help="At most so many a second, in each service.")] = None,
    by: By = None,
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait until all were tried; 0: do not wait.")] = 0,
) -> None:
    """Have dead letters handled again by their service's worker, each once; those that are done stay done.

    Ends with 1 when one of those waited for was not handled, or would not be.
    """
    chosen = _chosen(service, Wanted(topic, type_, _states(state)), ids, every=every)
    who = Ask(by or user(), reason, clock().now())
    apart = timedelta(seconds=1 / rate) if rate else timedelta()
    asked = chosen.ask(who, apart=apart, rehearsal=dry_run)
    left = len(chosen.chosen) - len(asked)
    typer.echo(f"{len(asked)} asked for{f', {left} done or waiting already' if left else ''}")
    if wait or dry_run:
        tried = replace(chosen, chosen=[letter for letter in chosen.chosen if letter.id in asked])
        _wait(tried, (wait or WAIT_SECONDS) + apart.total_seconds() * len(asked), dry_run=dry_run)


@app.command()
def discard(
    reason: Reason,
    ids: Ids = None,
    every: All = False,
    service: Service = None,
    topic: Topic = None,
    type_: Type = None,
    state: State = None,
    by: By = None,
) -> None:
    """Settle that dead letters will not be tried again; the records stay, and may still be asked for."""
    chosen = _chosen(service, Wanted(topic, type_, _states(state)), ids, every=every)
    settled = chosen.discard(Ask(by or user(), reason, clock().now()))
    left = len(chosen.chosen) - len(settled)
    typer.echo(f"{len(settled)} discarded{f', {left} done, waiting or discarded already' if left else ''}")


def _states(given: list[str] | None) -> list[str] | None:
    for state in given or ():
        if state not in STATES:
            raise typer.BadParameter(f"{state!r} is no state: they are {', '.join(STATES)}.")
    return given or None


def _chosen(service: str | None, wanted: Wanted, ids: list[UUID] | None, *, every: bool) -> Letters:
    if bool(ids) == every:
        raise typer.BadParameter("Give the ids of dead letters, or --all with filters.")
    urls = database_urls(service)
    if every:
        return Letters(urls, letters(urls, wanted if wanted.states else replace(wanted, states=OPEN_STATES)))
    known = {letter.id: letter for letter in letters(urls, wanted)}
    missing = [str(id_) for id_ in ids or () if id_ not in known]
    if missing:
        raise UnknownLetter(f"There is no dead letter {', '.join(missing)} in {', '.join(urls)}.")
    return Letters(urls, [known[id_] for id_ in dict.fromkeys(ids or ())])


def _wait(tried: Letters, seconds: float, *, dry_run: bool) -> None:
    outcomes = tried.outcomes(seconds)
    if dry_run:
        tried.withdraw()
    for service, row in outcomes:
        last = f": {row['replays'][-1]['error']}" if row["state"] in ("failed", "would-fail") else ""
        typer.echo(f"{row['id']} {service} {row['state']}{last}")
    late = [row for _, row in outcomes if row["state"] == "waiting"]
    if late:
        typer.echo(f"{len(late)} were not tried in {seconds:.0f} s: does the worker run?", err=True)
    if any(row["state"] not in ("done", "would-work") for _, row in outcomes):
        raise typer.Exit(1)


def _told(each: dict[str, Any]) -> str:
    error = f" ({each['error']})" if each.get("error") else ""
    return f"by {each['asked_by']}, {each['reason']}{error}"
