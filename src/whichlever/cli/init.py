"""``whichlever init``: a runnable task folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from whichlever.cli.options import Json, go_offline
from whichlever.cli.output import print_json
from whichlever.errors import InputError


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to make.")],
    pack: Annotated[str, typer.Option(help="The task family, e.g. triage.")] = "triage",
    seed: Annotated[int, typer.Option(help="Seed of the simulated data.")] = 0,
    json: Json = False,
) -> None:
    """Make a runnable task folder: task.yaml, simulated data and a README."""
    go_offline()
    from whichlever.render import find_pack

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} is not empty; give a new folder")
    found, _ = find_pack(pack)
    folder.mkdir(parents=True, exist_ok=True)
    found.write_template(folder, seed)
    if json:
        print_json({"folder": str(folder), "task": str(folder / "task.yaml")})
        return
    typer.echo(f"{folder}: task.yaml, simulated data and a README")
    typer.echo(f"next: whichlever compare {folder / 'task.yaml'} -o {folder / 'run'}")
