"""``whichlever distill``: a small model that learns what another lever says."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from whichlever.cli.bars import Bars
from whichlever.cli.options import Egress, Json, TaskFile, go_offline
from whichlever.cli.output import one_line, print_json
from whichlever.task import Task


def distill(
    task: TaskFile,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="RUN", help="Where results go.")],
    teacher: Annotated[
        str | None,
        typer.Option(help="A lever of the task, by id; left out: levers.distill.teacher."),
    ] = None,
    rows: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Rows without a label, from the task's folder; left out: levers.distill.rows, "
            "else the training rows alone.",
        ),
    ] = None,
    max_rows: Annotated[
        int | None, typer.Option(min=1, help="Most rows that the teacher labels.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seeds training, sampling and statistics.")] = 0,
    json: Json = False,
    allow_egress: Egress = None,
) -> None:
    """Teach a static model what a lever says, and say what it kept and what it costs."""
    allowed = go_offline(allow_egress)
    from whichlever.distilling import distill as run_distill
    from whichlever.report import write_report

    done, kept = run_distill(
        Task.load(task), out, teacher=teacher, rows=rows, max_rows=max_rows, seed=seed,
        progress=Bars(quiet=json), allow_egress=allowed,
    )  # fmt: skip
    page = write_report(done.run)
    if json:
        print_json(
            {
                "run": str(done.run),
                "report": str(page),
                "agreement": kept.agreement.model_dump(mode="json"),
                "of_teacher": kept.of_teacher,
                "cost_ratio": kept.cost_ratio,
                "teacher_beats_floor": kept.teacher_beats_floor,
                "text": list(kept.text),
            }
        )
        return
    for said in kept.text:
        typer.echo(one_line(said))
    typer.echo(f"verdict: {one_line(done.verdict.headline)}")
    typer.echo(f"report: {page}")
