"""``whichlever serve-keys``: who may ask a server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from whichlever.cli.options import Json
from whichlever.cli.output import print_json
from whichlever.serve.keys import ApiKeys

app = typer.Typer(help="Keep the API keys of a server, as hashes.", no_args_is_help=True)

File = Annotated[Path, typer.Argument(metavar="FILE", help="The file of hashed keys.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="Who the key is for.")]


@app.command("add")
def add(
    file: File,
    name: Name,
    requests_per_second: Annotated[float, typer.Option(min=0, help="0: no limit.")] = 0,
    rows_per_minute: Annotated[float, typer.Option(min=0, help="0: no limit.")] = 0,
    json: Json = False,
) -> None:
    """Make a key and show it once; the file holds its hash alone."""
    have = ApiKeys.load(file) if file.exists() else ApiKeys()
    changed, made = have.added(name, requests_per_second, rows_per_minute)
    changed.save(file)
    if json:
        print_json({"name": name, "key": made})
        return
    typer.echo(made)
    typer.echo("This is shown once. A running server reads the file again on SIGHUP.", err=True)


@app.command("revoke")
def revoke(file: File, name: Name) -> None:
    """Refuse a key from the next SIGHUP on."""
    ApiKeys.load(file).revoked(name).save(file)
    typer.echo(f"{file}: {name} is revoked; SIGHUP tells a running server")


@app.command("list")
def list_keys(file: File, json: Json = False) -> None:
    """Show names, status and limits."""
    found = ApiKeys.load(file)
    if json:
        print_json([k.model_dump(exclude={"hash", "salt"}) for k in found.keys])
        return
    for key in found.keys:
        per = f"  {key.requests_per_second:g}/s" if key.requests_per_second else ""
        rows = f"  {key.rows_per_minute:g} rows/min" if key.rows_per_minute else ""
        typer.echo(f"{key.name}  {key.status}{per}{rows}")
