"""``whichlever judge``: a sheet on which people judge what a judge model judged."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from whichlever.cli.options import Json, go_offline
from whichlever.cli.output import one_line, print_json


def judge(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run of a task with judge:.")],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="CSV", help="The sheet to write.")],
    rows: Annotated[int, typer.Option(min=1, help="Answers on it, drawn at random.")] = 100,
    seed: Annotated[int, typer.Option(help="Seeds the draw.")] = 0,
    json: Json = False,
) -> None:
    """Write answers for people to judge; judge.human reads the filled sheet."""
    go_offline()
    from whichlever.judging import write_sheet

    count = write_sheet(run, out, rows, seed)
    if json:
        print_json({"sheet": str(out), "rows": count})
        return
    typer.echo(one_line(f"{out}: {count} answers; fill in right (yes or no), name it in"))
    typer.echo("judge: {human: FILE} of the task, and run compare again: nothing is asked twice")
