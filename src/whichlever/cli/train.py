"""``whichlever train``: fit one lever and keep it; no test row is answered."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from whichlever.cli.bars import Bars, duration
from whichlever.cli.options import Egress, Json, TaskFile, go_offline
from whichlever.cli.output import one_line, print_json
from whichlever.task import Task


def train(
    task: TaskFile,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="RUN", help="Where results go.")],
    lever: Annotated[str, typer.Option(help="The lever to fit.")] = "finetune",
    rung: Annotated[str | None, typer.Option(help="One rung of it, e.g. encoder.")] = None,
    seed: Annotated[int, typer.Option(help="Seeds training and sampling.")] = 0,
    json: Json = False,
    allow_egress: Egress = None,
) -> None:
    """Fit one lever on training rows, choosing on validation rows.

    A later compare on the same RUN takes the fit up instead of training again.
    """
    allowed = go_offline(allow_egress)
    from whichlever.comparison import train as run_train

    name = f"{lever}-{rung}" if rung else lever
    fits = run_train(
        Task.load(task), out, name, seed=seed, progress=Bars(quiet=json), allow_egress=allowed
    )
    if json:
        print_json(fits)
        return
    for fit in fits:
        typer.echo(f"{fit['lever']}: {one_line(fit['what'])}; {duration(fit['fit_seconds'])}")
        for key, value in fit["chosen"].items():
            typer.echo(f"  {key}: {one_line(str(value))}")
        typer.echo(f"  kept in {fit['folder']}")
