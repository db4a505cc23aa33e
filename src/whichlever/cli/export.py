"""``whichlever export``: a run's trained decoder as files that other programs load."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from whichlever.cli.bars import Bars
from whichlever.cli.options import Json, RunFolder, go_offline
from whichlever.cli.output import one_line, print_json


def export(
    run: RunFolder,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="DIR", help="Where files go.")],
    task: Annotated[
        Path | None,
        typer.Option(
            metavar="TASK",
            help="The task file that was compared, where RUN lies elsewhere: its test rows are "
            "asked again.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Export the fine-tuned decoder: safetensors, GGUF in 16 and 8 bits, adapter, Modelfile."""
    go_offline()
    from whichlever.exporting import export as run_export

    made = run_export(run, out, task=task, progress=Bars(quiet=json))
    if json:
        print_json({"folder": str(made.folder), "files": made.files, "notes": made.notes})
        return
    for name, size in made.files.items():
        typer.echo(f"{made.folder / name}: {size / 1e6:,.1f} MB")
    for note in made.notes:
        typer.echo(f"  {one_line(note)}")
