"""``whichlever curve``: learning curves for a run, then the verdict with them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from whichlever.cli.bars import Bars
from whichlever.cli.options import Egress, Json, TaskFile, go_offline
from whichlever.cli.output import print_json
from whichlever.task import CurveSettings, Task


def curve(
    task: TaskFile,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="RUN", help="Where results go.")],
    lever: Annotated[
        list[str] | None, typer.Option("--lever", help="Only this lever's curve (repeatable).")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(help="Budget for the fits, instead of the task's.", min=0.01)
    ] = None,
    seed: Annotated[int, typer.Option(help="Seeds training, sampling and statistics.")] = 0,
    redact: Annotated[bool, typer.Option("--redact", help="Keep and quote no input text.")] = False,
    json: Json = False,
    allow_egress: Egress = None,
) -> None:
    """Fit the levers that learn from rows on parts of them, and decide again.

    What RUN holds already is taken up; levers that did not run yet are run first. Killed or
    stopped, the same command goes on from where it was.
    """
    allowed = go_offline(allow_egress)
    from whichlever.comparison import compare
    from whichlever.report import write_report
    from whichlever.report.terminal import print_verdict

    asked = with_curve(Task.load(task), lever, minutes)
    done = compare(
        asked,
        out,
        seed=seed,
        progress=Bars(quiet=json),
        allow_egress=allowed,
        keep_texts=not redact,
    )
    page = write_report(done.run, redact=redact)
    if json:
        found = done.measures.curve
        print_json(
            {
                "run": str(done.run),
                "report": str(page),
                "verdict": done.verdict.model_dump(mode="json"),
                "curve": None if found is None else found.model_dump(mode="json"),
            }
        )
        return
    print_verdict(Console(), done.measures, done.verdict, done.run)


def with_curve(task: Task, levers: list[str] | None, minutes: float | None) -> Task:
    """The task with its curve settings, or the defaults, and what the command line says."""
    changed: dict[str, object] = {}
    if levers:
        changed["levers"] = list(dict.fromkeys(levers))
    if minutes is not None:
        changed["minutes"] = minutes
    settings = (task.curve or CurveSettings()).model_copy(update=changed)
    asked = task.model_copy(update={"curve": settings})
    asked._folder = task._folder
    return asked
