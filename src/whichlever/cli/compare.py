"""``whichlever compare``: every lever on the same test rows, then the verdict."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from whichlever.cli.bars import Bars
from whichlever.cli.options import Egress, Json, TaskFile, go_offline
from whichlever.cli.output import print_json
from whichlever.task import Task


def compare(
    task: TaskFile,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="RUN", help="Where results go.")],
    lever: Annotated[
        list[str] | None, typer.Option("--lever", help="Only this lever (repeatable).")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seeds training, sampling and statistics.")] = 0,
    redact: Annotated[bool, typer.Option("--redact", help="Keep and quote no input text.")] = False,
    json: Json = False,
    allow_egress: Egress = None,
) -> None:
    """Measure every lever on the same test rows, paired, and give the verdict.

    Killed or stopped, the same command goes on from where it was.
    """
    allowed = go_offline(allow_egress)
    from whichlever.comparison import compare as run_compare
    from whichlever.report import write_report
    from whichlever.report.terminal import print_verdict

    done = run_compare(
        Task.load(task),
        out,
        only=lever,
        seed=seed,
        progress=Bars(quiet=json),
        allow_egress=allowed,
        keep_texts=not redact,
    )
    page = write_report(done.run, redact=redact)
    if json:
        print_json(
            {
                "run": str(done.run),
                "report": str(page),
                "verdict": done.verdict.model_dump(mode="json"),
                "measures": done.measures.model_dump(mode="json"),
            }
        )
        return
    print_verdict(Console(), done.measures, done.verdict, done.run)
