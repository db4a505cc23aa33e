"""``whichlever distill``: small models that learn what another lever, or a log, says."""

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
    logs: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Instead of a lever: an API's requests with their answers (OpenAI chat "
            "completions, Anthropic messages, batch output), from the task's folder.",
        ),
    ] = None,
    logs_input: Annotated[
        str | None,
        typer.Option(
            metavar="PATTERN",
            help="What the user's last message looks like in the log, {input} where the row's "
            "text stands.",
        ),
    ] = None,
    student: Annotated[
        list[str] | None,
        typer.Option(help="static, linear, encoder or decoder (repeatable); left out: static."),
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
    dollars: Annotated[
        float | None, typer.Option(help="Most that labelling may cost: a hard bound.")
    ] = None,
    ask: Annotated[
        str | None,
        typer.Option(
            help="Which rows, where not all can be asked about: active (unless given) or random."
        ),
    ] = None,
    labelled: Annotated[
        str | None,
        typer.Option(help="What training rows teach: teacher, true (their own labels) or both."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seeds training, sampling and statistics.")] = 0,
    json: Json = False,
    allow_egress: Egress = None,
) -> None:
    """Teach small models what a lever or a log says, and say what each kept and what it costs."""
    allowed = go_offline(allow_egress)
    from whichlever.distilling import distill as run_distill
    from whichlever.report import write_report

    log = None if logs is None else {"path": logs, **({"input": logs_input} if logs_input else {})}
    found = run_distill(
        Task.load(task), out, teacher=teacher, logs=log, student=student or None, rows=rows,
        max_rows=max_rows, dollars=dollars, ask=ask, labelled=labelled, seed=seed,
        progress=Bars(quiet=json), allow_egress=allowed,
    )  # fmt: skip
    done = found.comparison
    page = write_report(done.run)
    if json:
        print_json({"run": str(done.run), "report": str(page), **found.as_json()})
        return
    for said in (*found.text, *(said for kept in found.kept for said in kept.text)):
        typer.echo(one_line(said))
    typer.echo("50 million calls a month:")
    for own in found.volume:
        typer.echo(one_line(f"  {own.lever}: {own.said}"))
    typer.echo(f"verdict: {one_line(done.verdict.headline)}")
    typer.echo(f"report: {page}, {done.run / 'distill.md'}")
