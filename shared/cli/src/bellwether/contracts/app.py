"""The commands of `bellwether contracts`: generate, check, release. They print and exit, no more."""

from pathlib import Path
from typing import Annotated

import typer

from bellwether.contracts import golden, released, rollout
from bellwether.home import repository_root

app = typer.Typer(help="Schemas and the AsyncAPI document, from the services' own models.", no_args_is_help=True)

Root = Annotated[Path | None, typer.Option(help="The clone to work in; the one this is installed from if unset.")]


@app.command()
def generate(root: Root = None) -> None:
    """Write shared/contracts/schemas and asyncapi.yaml from the code."""
    changed = golden.write(root or repository_root())
    for path in changed:
        typer.echo(f"wrote {path.as_posix()}")
    typer.echo(f"{len(changed)} contract files changed")


@app.command()
def check(root: Root = None) -> None:
    """Fail when the files differ from the code, or the code breaks what was released."""
    here = root or repository_root()
    drifts = golden.drifts(here)
    was = released.released(here)
    broken = [] if was is None else rollout.findings(was, released.current(here))
    for line in (*drifts, *broken):
        typer.echo(str(line), err=True)
    if drifts or broken:
        raise typer.Exit(1)
    typer.echo("contracts: files match the code" + ("; nothing is released yet" if was is None else ", nothing breaks"))


@app.command()
def release(root: Root = None) -> None:
    """Make the contracts of now the released ones. Do it with a release, never to silence `check`."""
    here = root or repository_root()
    if golden.drifts(here):
        typer.echo(f"the golden files differ from the code: {golden.MEND}", err=True)
        raise typer.Exit(1)
    typer.echo(f"wrote {released.release(here).relative_to(here).as_posix()}")
